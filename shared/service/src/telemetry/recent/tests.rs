//! The lines that are kept of the log.

use tracing_subscriber::layer::SubscriberExt;

use super::*;

/// Returns the lines that `work` logs and that contain `word`. Other tests of this process log too.
fn kept(word: &str, work: impl FnOnce()) -> Vec<Line> {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(Keep), work);
    lines().into_iter().filter(|line| line.text.contains(word)).collect()
}

#[test]
fn only_warnings_and_errors_are_kept() {
    let error = "no route to <host>";
    let lines = kept("kept-a", || {
        tracing::info!("kept-a, but it is only news.");
        tracing::warn!(%error, topic = "a", "kept-a failed.");
        tracing::error!("kept-a failed.");
    });
    let texts: Vec<(Level, &str)> = lines.iter().map(|line| (line.level, line.text.as_str())).collect();
    let warned = "kept-a failed. error=no route to <host> topic=\"a\"";
    assert_eq!(texts, [(Level::WARN, warned), (Level::ERROR, "kept-a failed.")]);
}

#[test]
fn a_repeated_text_becomes_one_line_at_the_end() {
    let lines = kept("kept-b", || {
        tracing::warn!("kept-b once.");
        tracing::warn!("kept-b twice.");
        tracing::warn!("kept-b once.");
    });
    let texts: Vec<(&str, u64)> = lines.iter().map(|line| (line.text.as_str(), line.times)).collect();
    assert_eq!(texts, [("kept-b twice.", 1), ("kept-b once.", 2)]);
}

#[test]
fn a_long_text_is_cut_between_characters() {
    for shift in 0..4 {
        let text = format!("{}{}", "x".repeat(shift), "é€".repeat(10_000));
        let lines = kept("kept-c", || tracing::warn!(text, "kept-c {shift}."));
        let last = lines.last().unwrap();
        assert!(last.text.len() <= MAX_TEXT + '…'.len_utf8() && last.text.ends_with('…'), "{}", last.text.len());
    }
}

#[test]
fn only_the_last_lines_are_kept() {
    let mut lines = VecDeque::new();
    for number in 0..1_000 {
        keep(&mut lines, Line { at: SystemTime::now(), level: Level::WARN, text: number.to_string(), times: 1 });
    }
    assert_eq!(lines.len(), LINES);
    assert_eq!((lines[0].text.as_str(), lines[LINES - 1].text.as_str()), ("950", "999"));
}
