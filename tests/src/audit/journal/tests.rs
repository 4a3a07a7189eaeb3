//! Entries are read back as appended, and a journal is never overwritten.

use super::{Entry, HttpAnswer, Intent, Journal};

#[test]
fn entries_are_read_as_they_were_appended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut entries = Vec::new();
    for (number, intent) in [Intent::Good, Intent::Refused, Intent::Dead].into_iter().enumerate() {
        for answer in [HttpAnswer::Accepted, HttpAnswer::Refused(400), HttpAnswer::Unknown] {
            let id = format!("id \"{number}\"\n");
            entries.push(Entry { id, schema: 7, datum: vec![0, 0xff, 10], intent, answer });
        }
    }
    let journal = Journal::create(&path).unwrap();
    entries.iter().for_each(|entry| journal.append(entry).unwrap());
    journal.flush().unwrap();
    let mut read = Vec::new();
    Journal::read(&path, |entry| read.push(entry)).unwrap();
    assert_eq!(read, entries);
    assert!(Journal::create(&path).is_err(), "a journal is written over");
}

#[test]
fn a_line_that_is_cut_off_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    std::fs::write(&path, "{\"id\":\"a\",\"sch").unwrap();
    assert!(Journal::read(&path, |_| ()).is_err());
}
