//! Properties that hold for any process.

use super::*;

#[test]
fn open_files_and_threads_are_counted() {
    let process = std::process::id();
    // Other tests of this program open files and start threads too, so only this direction is certain.
    let files: Vec<_> = (0..100).map(|_| std::fs::File::open("/proc/self/status").expect("a file")).collect();
    let held = Resources::of(process).expect("this process runs");
    assert!(held.open_files >= 100, "{held:?}");
    assert!(held.threads >= 1 && held.resident_bytes > 1 << 20, "{held:?}");
    drop(files);
}

#[test]
fn a_process_that_is_not_there_is_an_error() {
    let error = Resources::of(u32::MAX).unwrap_err();
    assert!(error.to_string().contains("/proc/4294967295/status"), "{error}");
}
