use super::*;

fn texts(named: &Named) -> Vec<String> {
    named.paths.iter().map(|segments| segments.join("::")).collect()
}

#[test]
fn each_leaf_of_a_use_declaration_is_a_path() {
    let named = named("use crate::a::{self, b::{C, d as e}, F};\npub(crate) use g::H;\nuse super::*;").unwrap();
    assert_eq!(texts(&named), ["crate::a", "crate::a::b::C", "crate::a::b::d", "crate::a::F", "g::H", "super"]);
    assert_eq!(named.imports["e"].join("::"), "crate::a::b::d");
    assert_eq!(named.exports.keys().collect::<Vec<_>>(), ["H"]);
}

#[test]
fn paths_in_comments_texts_and_tests_do_not_count() {
    let text = "
            // crate::comment::X
            fn f(x: &crate::a::B) { let y = \"crate::text::X\"; format!(\"{}\", crate::c::d(e)); if a == b {} }
            #[cfg(test)]
            mod tests { use crate::tests::Y; }
            #[cfg(all(test, unix))]
            mod on_unix { use crate::tests::Z; }
            mod other;
        ";
    let named = named(text).unwrap();
    assert_eq!(texts(&named), ["crate::a::B", "crate::c::d"]);
    assert_eq!(named.test_modules.iter().collect::<Vec<_>>(), ["on_unix", "tests"]);
}
