use super::explore::World;
use super::*;

/// Explores all of `model`, and fails if a property does not hold.
fn holds(name: &str, model: impl World) {
    let explored = explore(model);
    println!("{name}: {} states", explored.states);
    let (failures, unreached) = (explored.failures, explored.unreached);
    let failures: Vec<String> = failures.iter().map(|(property, trace)| format!("{property}:\n{trace}")).collect();
    assert!(failures.is_empty(), "{name}: {}", failures.join("\n\n"));
    assert!(unreached.is_empty(), "{name} never comes to this: {unreached:?}");
}

/// Explores `model`, and fails unless `property` does not hold.
fn is_found(broken: Broken, property: &str, model: impl World) {
    let explored = first_failure(model);
    let found: Vec<_> = explored.failures.keys().collect();
    println!("{broken:?}: {} states: {found:?}\n{:?}", explored.states, explored.failures.get(property));
    assert!(explored.failures.contains_key(property), "{broken:?} breaks {property:?}, but this fails: {found:?}");
}

#[test]
fn no_order_of_assignments_and_settlements_commits_an_unsettled_record() {
    holds("a record waits", worlds::waiting());
    holds("a partition is lost", worlds::lost_partition());
    holds("batches with two partitions", worlds::shared_batches());
}

#[test]
fn no_order_of_refusals_makes_a_good_document_a_dead_letter() {
    holds("a good document and a bad one", worlds::unknown_refusals());
    holds("a good document and two bad ones", worlds::bad_documents());
    holds("a full shard", worlds::full_shard());
    holds("5xx and outages", worlds::outages());
}

#[test]
fn no_order_of_failures_stops_requests_for_good() {
    holds("requests", worlds::requests());
}

#[test]
fn no_order_of_rollovers_and_lists_makes_two_documents_of_an_event() {
    holds("one event twice", worlds::repeated_event());
    holds("two events of one id", worlds::two_events());
    holds("an index that accepts no documents", worlds::closed_index());
}

#[test]
fn no_order_of_a_swap_loses_or_repeats_a_record() {
    holds("a replay with swap", worlds::replay());
}

/// Each way breaks a property of its model.
#[test]
fn each_model_that_is_broken_on_purpose_is_found() {
    for broken in Broken::ALL {
        find(broken);
    }
}

fn find(broken: Broken) {
    use doubt::{ALL_DECIDED, GOOD_IS_KEPT};
    use ledger::{ALL_COMMITTED, NO_COMMIT_PASSES};
    use placement::{NEVER_ONE, ONE_DOCUMENT};
    use swap::{NEVER_TWICE, NOTHING_LOST};
    let ledger = |property: &str, world: ledger::Ledger| {
        is_found(broken, property, ledger::Ledger { broken: Some(broken), ..world });
    };
    let doubt = |property: &str, world: doubt::Doubt| {
        is_found(broken, property, doubt::Doubt { broken: Some(broken), ..world });
    };
    let placement = |property: &str, world: placement::Placement| {
        is_found(broken, property, placement::Placement { broken: Some(broken), ..world });
    };
    let swap = |property: &str| is_found(broken, property, swap::Swap { broken: Some(broken), ..worlds::replay() });
    match broken {
        Broken::LateReportCounts => ledger(NO_COMMIT_PASSES, worlds::lost_partition()),
        Broken::ReadIsCommitted | Broken::WaitingIsPassed => ledger(NO_COMMIT_PASSES, worlds::waiting()),
        Broken::SetAsideCounts => ledger(NO_COMMIT_PASSES, worlds::shared_batches()),
        Broken::AnyAssignmentEnds => ledger(NO_COMMIT_PASSES, worlds::lost_partition()),
        Broken::CommitIsForgotten => ledger(ALL_COMMITTED, worlds::waiting()),
        Broken::RefusalIsProof | Broken::WitnessIsIgnored => doubt(GOOD_IS_KEPT, worlds::unknown_refusals()),
        Broken::FullShardIsNotAsked | Broken::FullShardIsEvidence => doubt(GOOD_IS_KEPT, worlds::full_shard()),
        Broken::BlockIsFinal => doubt(ALL_DECIDED, worlds::bad_documents()),
        Broken::ProbeIsForgotten => {
            let world = worlds::requests();
            is_found(broken, throttle::ALL_SENT, throttle::Requests { broken: Some(broken), ..world });
        }
        Broken::NoMargin | Broken::TableIsOld | Broken::NoBarrier => placement(ONE_DOCUMENT, worlds::repeated_event()),
        Broken::ConflictIsDuplicate => placement(NEVER_ONE, worlds::two_events()),
        Broken::MissIsWritten => placement(ONE_DOCUMENT, worlds::closed_index()),
        Broken::EndIsEarly | Broken::CloseDoesNotWait => swap(NOTHING_LOST),
        Broken::RestGoesToOneIndex => swap(NEVER_TWICE),
    }
}
