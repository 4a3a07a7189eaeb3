use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;

const BACKOFF: Backoff = Backoff { initial: Duration::from_millis(200), max: Duration::from_secs(10) };

#[test]
fn the_longest_wait_doubles_up_to_the_cap() {
    let longest: Vec<u128> = [1, 2, 3, 6, 7, u32::MAX].map(|n| BACKOFF.longest(n).as_millis()).to_vec();
    assert_eq!(longest, [200, 400, 800, 6_400, 10_000, 10_000]);
}

#[test]
fn waits_are_spread_over_the_whole_range() {
    let mut rng = StdRng::seed_from_u64(1);
    let waits: Vec<Duration> = (0..1_000).map(|_| BACKOFF.wait(3, &mut rng)).collect();
    assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(800)));
    assert!(waits.iter().any(|wait| *wait < Duration::from_millis(80)));
    assert!(waits.iter().any(|wait| *wait > Duration::from_millis(720)));
}
