//! A figure of the last 15 minutes as a line of SVG. Pure.

/// The height of the drawing, in its own units. Its width is that of [`SAMPLES`](super::history::SAMPLES).
pub(super) const HEIGHT: f64 = 40.0;
/// The line is never quite at the upper edge, where half of its width would be cut.
const TOP: f64 = 1.5;

/// A line, and the area below it, as the attribute `d` of a path.
#[derive(Debug, PartialEq)]
pub(super) struct Plot {
    pub(super) line: String,
    pub(super) area: String,
    /// The highest value; none where there is no sample.
    pub(super) highest: Option<f64>,
}

/// Draws `samples`, the newest last at the right edge of `width` places. Where one is missing, the line has a gap.
pub(super) fn plot(samples: &[Option<f64>], width: usize) -> Plot {
    let highest = samples.iter().flatten().copied().reduce(f64::max);
    let scale = highest.filter(|highest| *highest > 0.0).map_or(0.0, |highest| (HEIGHT - TOP) / highest);
    let first = width.saturating_sub(samples.len());
    let (mut line, mut area) = (String::new(), String::new());
    let mut number = 0;
    for run in samples.split(Option::is_none) {
        let begin = first + number;
        number += run.len() + 1;
        if run.is_empty() {
            continue;
        }
        let points: Vec<String> = run
            .iter()
            .flatten()
            .enumerate()
            .map(|(place, value)| format!("{},{:.1}", begin + place, HEIGHT - value * scale))
            .collect();
        let (points, end) = (points.join(" "), begin + run.len() - 1);
        // A run of one sample is a dot: a line of no length, whose ends are round.
        line.push_str(&format!("M{points}h0"));
        area.push_str(&format!("M{begin},{HEIGHT} {points} {end},{HEIGHT}z"));
    }
    Plot { line, area, highest }
}

#[cfg(test)]
mod tests;
