//! Rules for sources and documents that neither the compiler nor clippy knows, each as a test. `make lint` runs them;
//! they need no stack.
//!
//! `rules` holds what every source file must fulfil, `layers` which module may use which, `links` that documents
//! point at what exists, `sizes` how long files may be, `walk` that the walk of one
//! event in ARCHITECTURE.md is short. A new rule is a test in the module whose subject it is.

pub mod files;
pub mod graph;
pub mod paths;

#[cfg(test)]
mod layers;
#[cfg(test)]
mod links;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod walk;
