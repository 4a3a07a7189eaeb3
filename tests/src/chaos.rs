//! Chaos: a pipeline with several instances of everything, a random schedule of faults, and the audit at the end.
//!
//! The [`schedule`] depends only on a seed, so a failed run can be repeated. Each lane injects one fault after another,
//! and the lanes run side by side. A new fault is a variant of [`fault::Kind`], a file in `faults/`, and a line in its
//! lane. A fault registers the documented exceptions that it causes ([`Scene::exceptions`](scene::Scene::exceptions)).

pub mod cluster;
pub mod fault;
mod faults;
pub mod inject;
pub mod observe;
pub mod program;
pub mod run;
pub mod scene;
pub mod schedule;
