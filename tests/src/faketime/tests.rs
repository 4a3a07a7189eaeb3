//! A program with the library has the clock of the file, and a step reaches it while it runs.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;
use crate::event::now;

const HOUR: i64 = 3_600_000;

#[test]
fn a_step_reaches_a_program_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let Some(clock) = FakeClock::new(&folder.path().join("clock")).unwrap() else {
        eprintln!("skipped: libfaketime is not installed");
        return;
    };
    // Perl is part of every Debian.
    let mut program = Command::new("perl");
    program.args(["-e", "$| = 1; while (1) { print time(), \"\\n\"; select(undef, undef, undef, 0.05) }"]);
    program.envs(clock.environment()).stdout(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ahead = lines.map(|line| line.unwrap().parse::<i64>().unwrap() * 1_000 - now());
    assert!(ahead.next().unwrap().abs() < HOUR / 2, "the clock is wrong at first");
    for step in [HOUR, -HOUR, 0] {
        clock.set(step).unwrap();
        let mut next = ahead.by_ref().take(400);
        assert!(next.any(|ahead| (ahead - step).abs() < HOUR / 2), "no step to {step}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    clock.forget(child.id());
}
