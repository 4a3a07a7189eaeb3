use super::*;

fn read(files: &[(&str, &str)]) -> Crate {
    let file = |(path, text): &(&str, &str)| TextFile { path: format!("src/{path}").into(), text: (*text).to_owned() };
    Crate::of("src", &files.iter().map(file).collect::<Vec<_>>()).unwrap()
}

fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    circles(&read(files).arrows()).into_iter().map(|circle| circle.into_iter().collect()).collect()
}

#[test]
fn files_that_use_each_other_are_a_circle() {
    let found =
        circles_of(&[("a.rs", "use crate::b::B;"), ("b.rs", "fn f() { crate::a::g() }"), ("c.rs", "use crate::a;")]);
    assert_eq!(found, [["a", "b"]]);
}

#[test]
fn siblings_may_form_a_circle_but_a_file_and_its_folder_do_not() {
    assert!(circles_of(&[("a.rs", "mod b; use b::B;"), ("a/b.rs", "use super::A;")]).is_empty());
    let found =
        circles_of(&[("a.rs", "mod b; mod c;"), ("a/b.rs", "use super::c::C;"), ("a/c.rs", "use crate::a::b::B;")]);
    assert_eq!(found, [["a::b", "a::c"]]);
}

#[test]
fn a_re_export_leads_to_its_source() {
    let found = circles_of(&[
        ("a.rs", "mod b; pub(crate) use b::B;"),
        ("a/b.rs", "use crate::c::C;"),
        ("c.rs", "use crate::a; fn f(b: a::B) {}"),
    ]);
    assert_eq!(found, [["a::b", "c"]]);
}

#[test]
fn tests_may_use_any_module() {
    assert!(
        circles_of(&[("a.rs", "#[cfg(test)] mod tests { use crate::b::B; }"), ("b.rs", "use crate::a::A;")]).is_empty()
    );
    let fake = "#[cfg(test)] pub(crate) mod fake; mod other;";
    let files = [("a.rs", fake), ("a/fake.rs", "use crate::b::B;"), ("a/other.rs", ""), ("b.rs", "use crate::a::A;")];
    assert!(circles_of(&files).is_empty());
}

#[test]
fn folders_may_have_circles_that_their_files_do_not_have() {
    let crate_of = read(&[
        ("a.rs", "mod w; mod x;"),
        ("a/w.rs", ""),
        ("a/x.rs", "use crate::b::y::Y;"),
        ("b.rs", "mod y; mod z;"),
        ("b/y.rs", ""),
        ("b/z.rs", "use crate::a::w::W;"),
    ]);
    assert!(circles(&crate_of.arrows()).is_empty());
    assert_eq!(circles(&between_top_levels(&crate_of.arrows())).len(), 1);
}
