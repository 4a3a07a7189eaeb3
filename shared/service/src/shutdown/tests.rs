//! The signals. One test sends them all, because they go to the whole process.

use std::process::Command;

use tokio::runtime::Builder;

use super::*;

fn send(name: &str) {
    let pid = std::process::id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

/// Runs `work` on a runtime of its own, and ends what listens on it.
fn run(work: impl Future<Output = ()>) {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

#[test]
fn sigterm_stops_every_process_and_sighup_only_one_in_a_terminal() {
    run(async {
        let token = listen(false).unwrap();
        let mut hangup = signal(SignalKind::hangup()).unwrap();
        send("-HUP");
        hangup.recv().await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(!token.is_cancelled(), "a service goes on");
        send("-TERM");
        token.cancelled().await;
    });
    run(async {
        let token = listen(true).unwrap();
        send("-HUP");
        token.cancelled().await;
    });
}
