use super::*;

/// Looks at contents whose text says what the result is.
fn look(reloaded: &Reloaded<String>, contents: Result<&str, &str>) -> Look<String> {
    let read = || {
        let contents = contents.map_err(str::to_owned)?;
        Ok((Fingerprint::of([contents.as_bytes()]), contents.to_owned()))
    };
    let renew =
        |_: &String, contents: String| if contents == "bad" { Err("unusable".to_owned()) } else { Ok(contents) };
    reloaded.look(read, renew)
}

#[test]
fn a_failed_look_keeps_the_last_value_and_is_new_once() {
    let reloaded = Reloaded::new("first".to_owned(), Fingerprint::of([b"first".as_slice()]));
    assert!(matches!(look(&reloaded, Ok("first")), Look::Same));
    for (contents, is_new) in [(Ok("bad"), true), (Ok("bad"), false), (Err("gone"), true), (Err("gone"), false)] {
        assert!(matches!(look(&reloaded, contents), Look::Failed { is_new: said, .. } if said == is_new));
        assert_eq!(*reloaded.current(), "first");
    }
    assert!(matches!(look(&reloaded, Ok("first")), Look::Same));
    assert!(matches!(look(&reloaded, Err("gone")), Look::Failed { is_new: true, .. }), "it was good in between");
    assert!(matches!(look(&reloaded, Ok("second")), Look::Renewed));
    assert_eq!(*reloaded.current(), "second");
}

#[test]
fn a_fingerprint_depends_on_part_boundaries() {
    assert_ne!(Fingerprint::of([b"ab".as_slice(), b"c"]), Fingerprint::of([b"a".as_slice(), b"bc"]));
    assert_ne!(Fingerprint::of([b"".as_slice()]), Fingerprint::of([]));
}
