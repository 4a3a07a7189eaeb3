//! The harness of the integration tests; the programs in `tools/` use it too.
//!
//! Each concern has a file: the real parts ([`stack`], reached through [`kafka`] and [`search`]), the two services
//! between them ([`pipeline`] in-process, [`process`] and [`indexer_process`] as children that can be killed), the
//! events ([`event`], [`sender`], [`feed`]) and the final check ([`delivery`]). The scenarios are in `it/`, one file
//! each; only code that two of them need belongs here.
//!
//! Every wait of a test goes through [`eventually`](mod@eventually): no test sleeps for a fixed time.

pub mod audit;
pub mod browser;
pub mod certificates;
pub mod chaos;
pub mod command;
pub mod config;
pub mod container;
pub mod curl;
pub mod dashboards;
#[cfg(test)]
mod declared;
pub mod delivery;
mod document_rules;
pub mod event;
pub mod eventually;
pub mod every_type;
pub mod faketime;
pub mod feed;
pub mod forward_proxy;
pub mod front;
pub mod held;
pub mod http;
pub mod indexer_process;
pub mod kafka;
pub mod link;
pub mod paths;
pub mod pipeline;
pub mod ports;
pub mod process;
pub mod prometheus;
pub mod proxy;
pub mod registry_link;
pub mod search;
pub mod sender;
pub mod server;
pub mod size;
pub mod stack;
pub mod terminator;
pub mod usage;
