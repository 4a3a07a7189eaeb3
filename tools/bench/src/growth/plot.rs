//! Draws a curve as SVG: a panel for each quantity, with a line for each service.

use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::PathElement;
use plotters::series::LineSeries;
use plotters::style::{BLACK, Color, RGBColor, ShapeStyle, WHITE};

use super::axis::Axis;
use super::point::{Measured, Quantity, Service};
use crate::number::exact;

/// The width and height of a panel, in pixels.
const PANEL: (usize, usize) = (400, 260);
/// The most panels side by side.
const MOST_COLUMNS: usize = 3;
/// The font: the reader's own, since an SVG file has none.
const FONT: &str = "sans-serif";
/// The length of a line in the legend, in pixels.
const SAMPLE: i32 = 16;

/// Returns the picture of `measured`.
///
/// # Errors
/// If a panel cannot be drawn.
pub(super) fn svg(measured: &Measured) -> anyhow::Result<String> {
    let quantities = measured.quantities();
    let (rows, columns) = grid(quantities.len());
    let size = (u32::try_from(PANEL.0 * columns)?, u32::try_from(PANEL.1 * rows)?);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        root.fill(&WHITE)?;
        let areas = root.split_evenly((rows, columns));
        for (area, quantity) in areas.iter().zip(quantities) {
            panel(area, measured, quantity)?;
        }
        root.present()?;
    }
    Ok(text)
}

/// Returns the rows and columns for `count` panels.
fn grid(count: usize) -> (usize, usize) {
    let rows = count.max(1).div_ceil(MOST_COLUMNS);
    (rows, count.max(1).div_ceil(rows))
}

fn panel(area: &DrawingArea<SVGBackend<'_>, Shift>, measured: &Measured, quantity: &Quantity) -> anyhow::Result<()> {
    let values: Vec<f64> = measured.points.iter().map(|point| point.value as f64).collect();
    let heights: Vec<f64> = measured.points.iter().filter_map(|point| (quantity.of)(point)).collect();
    let mut chart = ChartBuilder::on(area)
        .caption(quantity.title, (FONT, 16))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(Axis::of_steps(&values), Axis::of_values(&heights))?;
    chart
        .configure_mesh()
        .label_style((FONT, 13))
        .set_all_tick_mark_size(4)
        .x_desc(measured.curve.unit())
        .x_label_formatter(&|value: &f64| exact(*value))
        .y_label_formatter(&|value: &f64| exact(*value))
        .draw()?;
    for service in Service::ALL {
        let points = measured.points.iter().filter(|point| point.service == service);
        let line: Vec<(f64, f64)> =
            points.filter_map(|point| Some((point.value as f64, (quantity.of)(point)?))).collect();
        if line.is_empty() {
            continue;
        }
        let style = style(service);
        chart
            .draw_series(LineSeries::new(line, style).point_size(3))?
            .label(service.name())
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + SAMPLE, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.2))
        .label_font((FONT, 13))
        .draw()?;
    Ok(())
}

fn style(service: Service) -> ShapeStyle {
    let color = match service {
        Service::Receiver => RGBColor(0, 114, 178),
        Service::Indexer => RGBColor(213, 94, 0),
    };
    color.filled().stroke_width(2)
}

#[cfg(test)]
mod tests;
