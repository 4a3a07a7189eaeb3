//! Which files are written, read and refused.

use std::time::Duration;

use tempfile::TempDir;

use super::*;

const ID: Name = Name::Id(SchemaId(7));

fn texts(schema: &str) -> Texts {
    Texts { schema: schema.to_owned(), references: vec![r#""int""#.to_owned()] }
}

fn folder(dir: &TempDir) -> Folder {
    Folder::new(dir.path().to_owned(), "http://a, http://b", 4)
}

fn age(folder: &Folder, name: &Name, seconds: u64) {
    let file = OpenOptions::new().write(true).open(folder.file(name)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn a_written_schema_is_read_back_and_can_be_replaced() {
    let dir = TempDir::new().unwrap();
    let latest = Name::Latest("a/b ä".to_owned());
    assert_eq!(folder(&dir).read(&latest).unwrap(), None);
    for (id, schema) in [(7, r#""long""#), (8, r#""string""#)] {
        folder(&dir).write(&latest, SchemaId(id), texts(schema)).unwrap();
        assert_eq!(folder(&dir).read(&latest).unwrap(), Some((SchemaId(id), texts(schema))));
    }
    assert_eq!(folder(&dir).read(&Name::Latest("other".to_owned())).unwrap(), None);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "something unfinished is left");
    folder(&dir).remove(&latest).unwrap();
    folder(&dir).remove(&latest).unwrap();
    assert_eq!(folder(&dir).read(&latest).unwrap(), None);
}

#[test]
fn files_belong_to_one_registry_in_any_address_order() {
    let dir = TempDir::new().unwrap();
    folder(&dir).write(&ID, SchemaId(7), texts("x")).unwrap();
    let same = Folder::new(dir.path().to_owned(), "http://b, http://a", 4);
    assert!(same.read(&ID).unwrap().is_some());
    let other = Folder::new(dir.path().to_owned(), "http://c", 4);
    assert_eq!(other.read(&ID).unwrap(), None);
    fs::copy(same.file(&ID), other.file(&ID)).unwrap();
    other.read(&ID).unwrap_err();
}

#[test]
fn a_file_that_does_not_match_its_name_is_refused() {
    let dir = TempDir::new().unwrap();
    let folder = folder(&dir);
    folder.write(&ID, SchemaId(7), texts("x")).unwrap();
    let good = fs::read(folder.file(&ID)).unwrap();
    for bad in [b"".as_slice(), b"{}", b"\xff\x00", &good[..good.len() - 1]] {
        fs::write(folder.file(&ID), bad).unwrap();
        folder.read(&ID).unwrap_err();
    }
    fs::write(folder.file(&Name::Id(SchemaId(8))), &good).unwrap();
    folder.read(&Name::Id(SchemaId(8))).unwrap_err();
    fs::write(folder.file(&Name::Latest("s".to_owned())), &good).unwrap();
    folder.read(&Name::Latest("s".to_owned())).unwrap_err();
}

#[test]
fn a_broken_file_is_replaced() {
    let dir = TempDir::new().unwrap();
    let folder = folder(&dir);
    fs::write(folder.file(&ID), "broken").unwrap();
    folder.write(&ID, SchemaId(7), texts("x")).unwrap();
    assert_eq!(folder.read(&ID).unwrap(), Some((SchemaId(7), texts("x"))));
}

#[test]
fn the_least_recently_used_file_makes_room() {
    let dir = TempDir::new().unwrap();
    let folder = folder(&dir);
    fs::write(dir.path().join("notes.txt"), "somebody else's").unwrap();
    for id in 0..4 {
        folder.write(&Name::Id(SchemaId(id)), SchemaId(id), texts("x")).unwrap();
        age(&folder, &Name::Id(SchemaId(id)), 100 - u64::from(id));
    }
    // Used again, so the next oldest is removed.
    folder.write(&Name::Id(SchemaId(0)), SchemaId(0), texts("x")).unwrap();
    folder.write(&Name::Id(SchemaId(9)), SchemaId(9), texts("x")).unwrap();
    let kept: Vec<u32> = (0..10).filter(|id| folder.read(&Name::Id(SchemaId(*id))).unwrap().is_some()).collect();
    assert_eq!(kept, [0, 2, 3, 9]);
    assert!(dir.path().join("notes.txt").exists());
}
