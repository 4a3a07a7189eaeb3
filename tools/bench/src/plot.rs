//! Draws a picture as SVG: panels with lines, and one legend for all of them.

use plotters::backend::SVGBackend;
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{PathElement, Text};
use plotters::series::LineSeries;
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, WHITE};

use crate::number::exact;
pub(crate) use axis::Axis;

mod axis;

/// The width and height of a panel, in pixels.
const PANEL: (usize, usize) = (400, 260);
/// The most panels side by side.
const MOST_COLUMNS: usize = 3;
/// The height of the legend, in pixels.
const LEGEND: u32 = 24;
/// The font: the reader's own, since an SVG file has none.
const FONT: &str = "sans-serif";
/// The length of a line in the legend, in pixels.
const SAMPLE: i32 = 16;
/// The colours of the lines, which people with colour blindness can tell apart too (Okabe and Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// Holds what a picture shows.
pub(super) struct Picture {
    /// The names of the lines. The lines of all panels are in this order, and those of one name have one colour.
    pub(super) names: Vec<String>,
    /// The panels.
    pub(super) panels: Vec<Panel>,
}

/// Shows one quantity.
pub(super) struct Panel {
    /// The quantity with its unit.
    pub(super) title: String,
    /// The label of the x axis.
    pub(super) unit: String,
    /// The x axis.
    pub(super) x: Axis,
    /// The y axis.
    pub(super) y: Axis,
    /// The points of each line. A line may have none.
    pub(super) lines: Vec<Vec<(f64, f64)>>,
    /// The radius of a point, in pixels.
    pub(super) radius: u32,
}

/// Returns `picture` as SVG.
///
/// # Errors
/// If a panel cannot be drawn.
pub(super) fn svg(picture: &Picture) -> anyhow::Result<String> {
    let (rows, columns) = grid(picture.panels.len());
    let (width, height) = (u32::try_from(PANEL.0 * columns)?, u32::try_from(PANEL.1 * rows)?);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (width, height + LEGEND)).into_drawing_area();
        root.fill(&WHITE)?;
        let (panels, below) = root.split_vertically(height);
        for (area, panel) in panels.split_evenly((rows, columns)).iter().zip(&picture.panels) {
            draw(area, panel)?;
        }
        legend(&below, &picture.names)?;
        root.present()?;
    }
    Ok(text)
}

/// Returns the rows and columns for `count` panels.
fn grid(count: usize) -> (usize, usize) {
    let rows = count.max(1).div_ceil(MOST_COLUMNS);
    (rows, count.max(1).div_ceil(rows))
}

fn draw(area: &DrawingArea<SVGBackend<'_>, Shift>, panel: &Panel) -> anyhow::Result<()> {
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, (FONT, 16))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(panel.x.clone(), panel.y.clone())?;
    chart
        .configure_mesh()
        .label_style((FONT, 13))
        .set_all_tick_mark_size(4)
        .x_desc(&panel.unit)
        .x_label_formatter(&|value: &f64| exact(*value))
        .y_label_formatter(&|value: &f64| exact(*value))
        .draw()?;
    for (number, line) in panel.lines.iter().enumerate() {
        chart.draw_series(LineSeries::new(line.iter().copied(), style(number)).point_size(panel.radius))?;
    }
    Ok(())
}

/// Draws the names below the panels, so that they cover no line.
fn legend(area: &DrawingArea<SVGBackend<'_>, Shift>, names: &[String]) -> anyhow::Result<()> {
    let (width, height) = area.dim_in_pixel();
    let step = i32::try_from(width)? / i32::try_from(names.len().max(1))?;
    let middle = i32::try_from(height)? / 2;
    for (number, (name, left)) in names.iter().zip((step / 4..).step_by(usize::try_from(step)?.max(1))).enumerate() {
        area.draw(&PathElement::new(vec![(left, middle), (left + SAMPLE, middle)], style(number)))?;
        area.draw(&Text::new(name.clone(), (left + SAMPLE + 4, middle - 6), (FONT, 13).into_font()))?;
    }
    Ok(())
}

fn style(number: usize) -> ShapeStyle {
    COLOURS[number % COLOURS.len()].filled().stroke_width(2)
}

#[cfg(test)]
mod tests;
