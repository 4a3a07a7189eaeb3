//! The picture of a curve: a panel for each quantity, with a line for each service.

use super::point::{Measured, Quantity, Service};
use crate::plot::{Axis, Panel, Picture};

/// The radius of a point, in pixels.
const RADIUS: u32 = 3;

/// Returns the picture of `measured`.
pub(super) fn of(measured: &Measured) -> Picture {
    let names = Service::ALL.map(|service| service.name().to_owned()).to_vec();
    let panels = measured.quantities().into_iter().map(|quantity| panel(measured, quantity)).collect();
    Picture { names, panels }
}

fn panel(measured: &Measured, quantity: &Quantity) -> Panel {
    let values: Vec<f64> = measured.points.iter().map(|point| point.value as f64).collect();
    let heights: Vec<f64> = measured.points.iter().filter_map(|point| (quantity.of)(point)).collect();
    let line = |service| {
        let points = measured.points.iter().filter(|point| point.service == service);
        points.filter_map(|point| Some((point.value as f64, (quantity.of)(point)?))).collect()
    };
    Panel {
        title: quantity.title.to_owned(),
        unit: measured.curve.unit().to_owned(),
        x: Axis::of_steps(&values),
        y: Axis::of_values(&heights),
        lines: Service::ALL.map(line).to_vec(),
        radius: RADIUS,
    }
}

#[cfg(test)]
mod tests;
