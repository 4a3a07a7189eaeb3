//! The methods of a type are in few files, so that its data has one owner.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::files::{self, TextFile};
use crate::graph::{Crate, module_of};
use crate::paths::{Segments, inherent_impls};

/// The crates to check, by source folder, and the most files that may hold methods of one type. Implementations of
/// traits and tests do not count.
const CRATES: [(&str, usize); 8] = [
    ("receiver/src", 1),
    ("indexer/src", 1),
    // `Schema` is in two files: one of them describes the documents that its data becomes.
    ("shared/avro/src", 2),
    ("shared/config/src", 1),
    ("shared/kafka/src", 1),
    ("shared/registry/src", 1),
    ("shared/service/src", 1),
    ("shared/traces/src", 1),
];

/// Returns the files with methods of each type, by the path of the type in the crate.
fn files_of_types(folder: &str, sources: &[TextFile]) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let of_crate = Crate::of(folder, sources)?;
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for TextFile { path, text } in sources.iter().filter(|file| !files::is_test(&file.path)) {
        let Some(module) = module_of(folder, path) else { continue };
        let types: Vec<Segments> = inherent_impls(text).with_context(|| path.display().to_string())?;
        for name in types {
            let (module, name) = of_crate.declaration(&module, &name);
            let name = if module.is_empty() { name } else { format!("{module}::{name}") };
            found.entry(name).or_default().insert(path.display().to_string());
        }
    }
    Ok(found)
}

/// Returns a complaint for each type with methods in more than `most` files.
fn complaints(folder: &str, sources: &[TextFile], most: usize) -> Result<Vec<String>> {
    let of_types = files_of_types(folder, sources)?;
    let spread = of_types.iter().filter(|(_, files)| files.len() > most);
    let complaint = |(name, files): (&String, &BTreeSet<String>)| {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        format!("{folder}: {name} has methods in {} files, more than {most}: {}", files.len(), files.join(", "))
    };
    Ok(spread.map(complaint).collect())
}

#[test]
fn the_methods_of_a_type_are_in_few_files() -> Result<()> {
    let mut found = Vec::new();
    for (folder, most) in CRATES {
        let sources = files::below(folder, "rs")?;
        assert!(!files_of_types(folder, &sources)?.is_empty(), "{folder}: the types were not found");
        found.extend(complaints(folder, &sources, most)?);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn a_type_is_found_in_all_its_files_and_told_apart_from_others_of_its_name() -> Result<()> {
    let file = |(path, text): (&str, &str)| TextFile { path: format!("src/{path}").into(), text: text.to_owned() };
    let sources = [
        ("lib.rs", "mod a; mod d;"),
        ("a.rs", "mod b; mod c; pub(crate) use b::B; struct A; impl A {}"),
        ("a/b.rs", "use super::A; impl A {} pub(crate) struct B; impl B {}"),
        ("a/c.rs", "impl<T: Fn() -> u8> super::A<T> where T: Copy {} impl Clone for super::A {}"),
        ("a/tests.rs", "use super::*; impl A {}"),
        ("d.rs", "use crate::a::B as C; struct A; impl A {} impl C {}"),
        ("e.rs", "use crate::a::B; #[cfg(test)] impl B {}"),
    ]
    .map(file);
    assert_eq!(
        complaints("src", &sources, 1)?,
        [
            "src: a::A has methods in 3 files, more than 1: src/a.rs, src/a/b.rs, src/a/c.rs",
            "src: a::b::B has methods in 2 files, more than 1: src/a/b.rs, src/d.rs",
        ]
    );
    assert_eq!(complaints("src", &sources, 2)?.len(), 1);
    assert_eq!(complaints("src", &sources, 3)?.len(), 0);
    Ok(())
}
