//! Three of everything, a random schedule of faults, and an audit of every event at the end.
//!
//! `make chaos MINUTES=5 SEED=7` runs it for longer, by default with a new seed each time. `make test` always uses the
//! same seed, so that a change does not fail because of a new schedule. `PENSTOCK_CHAOS_SECONDS` sets how long faults
//! are started, `PENSTOCK_CHAOS_SEED` the schedule, and `PENSTOCK_CHAOS_PER_SECOND` the number of events per second.

use anyhow::Result;
use harness::chaos::run::Run;
use harness::chaos::schedule::schedule;
use harness::size;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_accounted_for_whatever_goes_wrong() -> Result<()> {
    let seed = size::number("PENSTOCK_CHAOS_SEED", 1)?;
    let duration = size::seconds("PENSTOCK_CHAOS_SECONDS", 60)?;
    let per_second = size::number("PENSTOCK_CHAOS_PER_SECOND", 200)?;
    let steps = schedule(seed, duration);
    Run { seed, steps, duration, per_second }.make("chaos").await.map(drop)
}
