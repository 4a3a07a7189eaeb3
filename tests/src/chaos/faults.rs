//! One file for each fault.

pub(super) mod broker;
pub(super) mod close;
pub(super) mod contradiction;
pub(super) mod delete;
pub(super) mod full_queue;
pub(super) mod leader;
pub(super) mod mapping;
pub(super) mod node;
pub(super) mod partition;
pub(super) mod quorum;
pub(super) mod read_only;
pub(super) mod registry;
pub(super) mod roll_over;
pub(super) mod schema;
pub(super) mod service;
pub(super) mod template;
pub(super) mod token;
pub(super) mod weather;
