//! Rules for sources and documents that neither the compiler nor clippy checks, each as a test. `make lint` runs them;
//! they need no stack.
//!
//! `rules` holds the rules for every source file, `layers` the allowed uses between modules, `links` checks the links
//! of documents, `evidence` the tests that they name, `sizes` the length of files, `types` where the methods of a type
//! are, and `walk` the walk of one event in ARCHITECTURE.md. A new rule is a test in the module of its subject.

pub mod files;
pub mod graph;
pub mod paths;

#[cfg(test)]
mod evidence;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod links;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod types;
#[cfg(test)]
mod walk;
