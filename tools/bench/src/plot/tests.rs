//! The layout of a picture.

use super::*;

#[test]
fn panels_fill_rows_of_equal_length() {
    assert_eq!([1, 2, 3, 4, 5].map(grid), [(1, 1), (1, 2), (1, 3), (2, 2), (2, 3)]);
}

#[test]
fn the_legend_is_below_the_panels() {
    let panel = Panel {
        title: "threads".to_owned(),
        unit: "minutes".to_owned(),
        x: Axis::of_values(&[0.0, 60.0]),
        y: Axis::of_values(&[7.0, 8.0]),
        lines: vec![vec![(0.0, 7.0), (60.0, 8.0)], Vec::new()],
        radius: 0,
    };
    let names = vec!["receiver 1".to_owned(), "receiver 2".to_owned()];
    let svg = svg(&Picture { names, panels: vec![panel] }).expect("a picture");
    let lines: Vec<&str> = svg.lines().collect();
    let at = |name: &str| lines.iter().position(|line| line.trim() == name).expect("the name");
    for name in ["receiver 1", "receiver 2"] {
        // The tag with the position is the line before the text.
        let (_, y) = lines[at(name) - 1].split_once("y=\"").expect("a position");
        let y: usize = y.split('"').next().expect("a number").parse().expect("a number");
        assert!(y >= PANEL.1, "{name} at {y}");
    }
}
