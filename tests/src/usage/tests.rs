//! Properties that hold for any process.

use super::*;

#[test]
fn cpu_time_of_this_thread_grows_with_its_work() {
    let begin = thread_cpu_seconds().unwrap();
    // The loop ends when the claim is true, since a working thread must use CPU time.
    while thread_cpu_seconds().unwrap() < begin + 0.02 {
        std::hint::black_box((0..10_000_u64).sum::<u64>());
    }
    let process = Usage::of_this_process().unwrap();
    assert!(process.cpu_seconds >= 0.02);
    assert!(process.peak_bytes > 1 << 20);
}

#[test]
fn a_process_that_is_not_there_is_an_error() {
    let error = Usage::of(u32::MAX).unwrap_err();
    assert!(error.to_string().contains("/proc/4294967295/status"));
}
