use super::*;

fn fuse(window: u64, max_ratio: f64, max_consecutive: u64) -> Fuse {
    Fuse::new(Settings { window, max_ratio, max_consecutive })
}

#[test]
fn a_few_dead_letters_among_good_records_do_not_blow_the_fuse() {
    let mut fuse = fuse(1_000, 0.5, 100);
    for _ in 0..1_000 {
        assert_eq!(fuse.count(100, 40), None);
    }
}

#[test]
fn many_dead_letters_in_a_row_blow_the_fuse_whatever_the_window() {
    let mut fuse = fuse(1_000_000, 1.0, 100);
    assert_eq!(fuse.count(60, 60), None);
    assert_eq!(fuse.count(60, 60), Some(Blown::Consecutive(120)));
}

#[test]
fn a_good_record_restarts_the_count_of_consecutive_dead_letters() {
    let mut fuse = fuse(1_000_000, 1.0, 100);
    assert_eq!(fuse.count(60, 60), None);
    assert_eq!(fuse.count(1, 0), None);
    assert_eq!(fuse.count(60, 60), None);
}

#[test]
fn dead_letters_in_a_batch_that_is_mostly_good_are_not_in_a_row() {
    let mut fuse = fuse(1_000_000, 1.0, 100);
    assert_eq!(fuse.count(1_000, 400), None);
    assert_eq!(fuse.count(1_000, 600), Some(Blown::Consecutive(600)), "most of them may be in a row");
}

#[test]
fn a_batch_shows_the_end_if_most_is_accepted_and_the_ratio_tolerates_the_rest() {
    assert!(fuse(1_000, 1.0, 100).is_over(100, 50));
    assert!(!fuse(1_000, 1.0, 100).is_over(100, 51));
    assert!(!fuse(1_000, 0.3, 100).is_over(100, 50));
    assert!(!fuse(1_000, 0.5, 100).is_over(1, 1));
}

#[test]
fn the_ratio_is_checked_only_over_a_full_window() {
    let mut fuse = fuse(1_000, 0.5, u64::MAX);
    assert_eq!(fuse.count(500, 400), None);
    assert_eq!(fuse.count(500, 400), Some(Blown::Ratio { dead: 800, records: 1_000 }));
}

#[test]
fn batches_that_left_the_window_are_forgotten() {
    let mut fuse = fuse(1_000, 0.5, u64::MAX);
    assert_eq!(fuse.count(500, 450), None);
    for _ in 0..10 {
        assert_eq!(fuse.count(500, 1), None);
    }
    assert_eq!(fuse.count(500, 499), None, "500 of the last 1,000: the first batch has left the window");
}

#[test]
fn a_batch_without_dead_letters_never_blows_the_fuse() {
    let mut fuse = fuse(100, 0.1, 1_000_000);
    assert!(fuse.count(1_000, 900).is_some());
    assert_eq!(fuse.count(1, 0), None);
}
