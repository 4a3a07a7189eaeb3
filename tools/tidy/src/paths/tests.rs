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

#[test]
fn the_types_of_impl_blocks_are_found_except_for_traits_and_tests() {
    let text = "
            impl<'a, T: Fn() -> u8> Work<'a, T> where T: Copy { fn f() -> impl Sized {} }
            /// Documented.
            #[derive(Debug)]
            struct Bulk { x: [u8; 2] }
            impl super::Bulk {}
            fn f() -> impl Iterator<Item = u8> { impl Inner {} }
            impl Drop for Lone {}
            impl<F> Run for F where F: for<'a> Fn(&'a u8) {}
            impl<F> Runs<F> where F: for<'a> Fn(&'a u8) {}
            #[cfg(test)]
            impl Tested {}
            mod inner { impl Hidden {} }
        ";
    let types: Vec<String> = inherent_impls(text).unwrap().iter().map(|name| name.join("::")).collect();
    assert_eq!(types, ["Work", "super::Bulk", "Runs"]);
}
