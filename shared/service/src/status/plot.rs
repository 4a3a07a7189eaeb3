//! Draws a figure of the last 15 minutes as an SVG line. Pure.

/// The height of the drawing, in its own units. The width is [`SAMPLES`](super::history::SAMPLES).
pub(super) const HEIGHT: f64 = 40.0;
/// The highest position of the line. At the very edge, half of its stroke would be cut off.
const TOP: f64 = 1.5;

/// A line and the area below it, as values of the attribute `d` of a path.
#[derive(Debug, PartialEq)]
pub(super) struct Plot {
    pub(super) line: String,
    pub(super) area: String,
    /// The highest value; `None` if there are no samples.
    pub(super) highest: Option<f64>,
}

/// Draws `samples`, with the newest last at the right edge of `width` positions. A missing sample leaves a gap.
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
        // A single sample between gaps is a dot: a line of length zero with round ends.
        line.push_str(&format!("M{points}h0"));
        area.push_str(&format!("M{begin},{HEIGHT} {points} {end},{HEIGHT}z"));
    }
    Plot { line, area, highest }
}

#[cfg(test)]
mod tests;
