//! Chaos: a pipeline of several of everything, a random schedule of faults, and the audit at the end.
//!
//! The [`schedule`] is a function of a seed, so a run that failed can be repeated. Each of its lanes does one fault
//! after the other, and the lanes run side by side. A new fault is a variant of [`fault::Kind`], a file in `faults/`,
//! and a line in the lane that it belongs to. What the documents except, a fault names itself
//! ([`Scene::exceptions`](scene::Scene::exceptions)).

pub mod cluster;
pub mod fault;
mod faults;
pub mod inject;
pub mod program;
pub mod run;
pub mod scene;
pub mod schedule;
