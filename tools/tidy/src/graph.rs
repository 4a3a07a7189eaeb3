//! The graph of modules: which module of a crate uses which.
//!
//! A module is a file, named by its path below `src`: `receive`, `receive::body`. Test modules do not count, and may
//! use anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

use crate::files::{self, TextFile};
use crate::paths::{Named, Segments, named};

/// The most re-exports that one name may pass through.
const MAX_EXPORTS: usize = 8;

/// Maps each module to the modules that it uses, with the names that it takes from each.
pub type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Holds the modules of one crate.
#[derive(Debug)]
pub struct Crate {
    modules: BTreeMap<String, Named>,
}

impl Crate {
    /// Reads the crate whose sources are below `folder`, a path from the root of the repository.
    ///
    /// # Errors
    /// If a file cannot be read or is not Rust.
    pub fn read(folder: &str) -> Result<Self> {
        Self::of(folder, &files::below(folder, "rs")?)
    }

    /// Does the same with these `sources`.
    ///
    /// # Errors
    /// If one of them is not Rust.
    pub fn of(folder: &str, sources: &[TextFile]) -> Result<Self> {
        let mut modules = BTreeMap::new();
        for TextFile { path, text } in sources {
            if let Some(module) = module_of(folder, path) {
                modules.insert(module, named(text).with_context(|| path.display().to_string())?);
            }
        }
        Ok(Self { modules: without_tests(modules) })
    }

    /// Returns the names of its modules; the name of the crate itself is empty.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    /// Returns the modules that import all names of their parent: `use super::*`.
    pub fn that_take_all(&self) -> impl Iterator<Item = &str> {
        let takes_all = |named: &Named| named.imports.get("*").is_some_and(|path| *path == ["super"]);
        self.modules.iter().filter(move |(_, named)| takes_all(named)).map(|(module, _)| module.as_str())
    }

    /// Returns the arrows between its modules. Leaves out those between a module and its parent or child in the same
    /// folder: a file and its folder belong together.
    pub fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (module, named) in &self.modules {
            for path in &named.paths {
                if let Some((used, name)) = self.resolve(module, path, 0)
                    && !is_kin(module, &used)
                {
                    arrows.entry(module.clone()).or_default().entry(used).or_default().insert(name);
                }
            }
        }
        arrows
    }

    /// Returns the module that declares the type that `module` calls `path`, and the type's name there.
    pub fn declaration(&self, module: &str, path: &[String]) -> (String, String) {
        let import = match path {
            [name] => self.modules.get(module).and_then(|named| named.imports.get(name)),
            _ => None,
        };
        let own = || (module.to_owned(), path.last().cloned().unwrap_or_default());
        self.resolve(module, import.map_or(path, Vec::as_slice), 0).unwrap_or_else(own)
    }

    /// Returns the module of this crate that `path` in `module` leads to, and the name in it, or `None` if it leads out
    /// of the crate.
    fn resolve(&self, module: &str, path: &[String], depth: usize) -> Option<(String, String)> {
        let (base, rest) = self.base(module, path)?;
        let mut at = base;
        let mut rest = rest.iter();
        let mut name = rest.next();
        while let Some(segment) = name {
            let child = join(&at, segment);
            if !self.modules.contains_key(&child) {
                break;
            }
            at = child;
            name = rest.next();
        }
        let Some(name) = name else {
            return Some((at, String::new()));
        };
        // The name is a re-export, so the arrow goes to its source.
        if depth < MAX_EXPORTS
            && let Some(exported) = self.modules.get(&at).and_then(|named| named.exports.get(name))
        {
            let mut exported: Segments = exported.clone();
            exported.extend(rest.cloned());
            if let Some(found) = self.resolve(&at, &exported, depth + 1) {
                return Some(found);
            }
        }
        Some((at, name.clone()))
    }

    /// Returns the module where `path` continues, and the remaining segments.
    fn base<'p>(&self, module: &str, path: &'p [String]) -> Option<(String, Vec<String>)>
    where
        Self: 'p,
    {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some((String::new(), rest.to_vec())),
            "self" => Some((module.to_owned(), rest.to_vec())),
            "super" => {
                let ups = path.iter().take_while(|segment| *segment == "super").count();
                let mut at = module;
                for _ in 0..ups {
                    at = parent(at);
                }
                Some((at.to_owned(), path[ups..].to_vec()))
            }
            first if self.modules.contains_key(&join(module, first)) => Some((module.to_owned(), path.to_vec())),
            first => {
                // A `use` declaration of the module imports this name.
                let import = self.modules.get(module)?.imports.get(first).filter(|import| *import != path)?;
                let begins = import.first().is_some_and(|it| ["crate", "super", "self"].contains(&it.as_str()));
                let full: Segments = import.iter().chain(rest).cloned().collect();
                if begins { self.base(module, &full) } else { None }
            }
        }
    }
}

/// Returns the module in the file at `path` of the crate whose sources are below `folder`; the name of the crate itself
/// is empty. Returns `None` for a `main.rs`: next to a `lib.rs` it is a separate crate, which uses this one.
pub fn module_of(folder: &str, path: &Path) -> Option<String> {
    let inside = path.strip_prefix(folder).unwrap_or(path).with_extension("");
    let module = inside.to_string_lossy().replace('/', "::");
    (module != "main").then(|| if module == "lib" { String::new() } else { module })
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

/// Removes the modules that are only for tests, with everything below them.
fn without_tests(mut modules: BTreeMap<String, Named>) -> BTreeMap<String, Named> {
    let of_tests: Vec<String> = modules
        .iter()
        .flat_map(|(module, named)| named.test_modules.iter().map(move |name| join(module, name)))
        .collect();
    modules.retain(|module, _| !of_tests.iter().any(|test| module == test || module.starts_with(&format!("{test}::"))));
    modules
}

/// Returns whether the two are the same, or one is in the folder of the other.
fn is_kin(one: &str, other: &str) -> bool {
    let below =
        |inner: &str, outer: &str| outer.is_empty() || inner == outer || inner.starts_with(&format!("{outer}::"));
    below(one, other) || below(other, one)
}

/// A folder whose files are separate units.
const SHELF: &str = "stages";

/// Returns the unit of `module`: its top-level module, a file with its folder. In the folder `stages`, each stage is a
/// unit.
pub fn unit(module: &str) -> &str {
    let end = |from: usize| module[from..].find("::").map_or(module.len(), |at| from + at);
    let first = end(0);
    if &module[..first] == SHELF && first < module.len() { &module[..end(first + 2)] } else { &module[..first] }
}

/// Returns only the `arrows` between units.
pub fn between_top_levels(arrows: &Arrows) -> Arrows {
    let mut between = Arrows::new();
    for (from, used) in arrows {
        for to in used.keys().filter(|to| unit(from) != unit(to)) {
            let pairs = between.entry(unit(from).to_owned()).or_default().entry(unit(to).to_owned()).or_default();
            pairs.insert(format!("{from} → {to}"));
        }
    }
    between
}

/// Returns the circles in `arrows`: the largest sets of modules in which each leads to every other.
pub fn circles(arrows: &Arrows) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<String>> =
        arrows.keys().map(|module| (module, reached_from(module, arrows))).collect();
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for (module, forward) in &reached {
        let leads_back = |other: &&String| reached.get(other).is_some_and(|back| back.contains(*module));
        let circle: BTreeSet<String> = forward.iter().filter(leads_back).cloned().collect();
        if circle.len() > 1 && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

fn reached_from(module: &str, arrows: &Arrows) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![module.to_owned()];
    while let Some(module) = open.pop() {
        for next in arrows.get(&module).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    reached
}

/// Returns the arrows within `circle` as lines, for a message.
pub fn describe(circle: &BTreeSet<String>, arrows: &Arrows) -> String {
    let mut lines = Vec::new();
    for from in circle {
        for (to, names) in arrows.get(from).into_iter().flatten().filter(|(to, _)| circle.contains(*to)) {
            let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
            lines.push(format!("  {from} → {to}: {}", names.join(", ")));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
