//! Retries one document that was set aside, until it is accepted or proven to be at fault.

use std::sync::Arc;
use std::time::Duration;

use service::backoff::Backoff;

use super::count;
use super::delivered::Delivered;
use super::doubt::Attempt;
use super::rounds::Rounds;
use super::set_aside::{Alone, Lone};

/// The waits between attempts with one document.
const BACKOFF: Backoff = Backoff { initial: Duration::from_millis(250), max: Duration::from_secs(4) };

/// The same for a document that goes into a failure store, where each attempt leaves a copy.
const STORED_BACKOFF: Backoff = Backoff { initial: Duration::from_secs(1), max: Duration::from_secs(300) };

/// Tries the document of `lone` with `rounds` until it is settled: accepted, or refused permanently because it is at
/// fault. There is no last attempt. Dropping the future leaves it undecided, which loses nothing.
pub(super) async fn decide(rounds: &Rounds, lone: &mut Lone) -> Delivered {
    let open = &rounds.undecided.open;
    let mut failures = 1;
    loop {
        let backoff = if lone.case().cause().is_stored() { STORED_BACKOFF } else { BACKOFF };
        let longest = backoff.longest(failures);
        tokio::time::sleep(longest.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
        let (mut delivered, before) = attempt(rounds, lone).await;
        let Some(set_aside) = delivered.set_aside.pop() else {
            // Alone it may be refused in a way that leaves no doubt.
            open.decided(if delivered.refused.is_empty() { "accepted" } else { "document" });
            count::log_refused(&rounds.metrics, lone.batch(), &delivered.refused);
            return delivered;
        };
        let is_at_fault = lone.refuse(&set_aside, before);
        if rounds.control.may_be_full(&set_aside).await {
            lone.excuse();
        } else if is_at_fault {
            lone.log_verdict(&set_aside, true);
            open.decided("document");
            return lone.refused(set_aside);
        }
        failures += 1;
    }
}

/// Makes one attempt. Also returns how many documents the index had accepted before it.
async fn attempt(rounds: &Rounds, lone: &Lone) -> (Delivered, u64) {
    let (index, cause) = (Arc::clone(lone.case().index()), lone.case().cause().clone());
    let _turn = rounds.undecided.turn(&cause).await;
    let witness = rounds.control.beside(&index, &cause).await;
    let mut alone = Alone { attempt: Attempt::new(index, cause), witness };
    let mut work = rounds.landing.work(lone.batch()).alone();
    rounds.run(&mut work, lone.batch(), Some(&mut alone)).await;
    (work.delivered, alone.attempt.before)
}
