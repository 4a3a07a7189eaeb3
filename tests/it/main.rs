//! The promises on the real parts, a file per scenario.
//!
//! A scenario has topics, a group and an index of its own ([`harness::pipeline`]), so all run side by side on one
//! stack. What stops a part of the stack has a stack of its own ([`harness::stack::OwnStack`]). What a test needs and
//! no other does stays in its file; the rest is in the harness.

mod admin;
mod auth;
mod away;
mod blame;
mod blame_indices;
mod blame_whole;
mod bulk_rows;
mod bytes;
mod churn;
mod containers;
mod credentials;
mod cxone;
mod dashboards;
mod dead_letters;
mod doctor;
mod evolution;
mod explain;
mod find;
mod framings;
mod full_queue;
mod http;
mod http_table;
mod id_scope;
mod ids;
mod large_files;
mod letters;
mod log;
mod log_lines;
mod log_replaced;
mod lost;
mod main_job;
mod mapping;
mod memory;
mod mixed_batch;
mod odd_indices;
mod openapi;
mod outages;
mod overload;
mod placement;
mod proof;
mod proxied;
mod proxied_tls;
mod proxies;
mod quarantine;
mod read_only;
mod redrive;
mod registry;
mod registry_lag;
mod replay;
mod rolling;
mod rollover;
mod sasl;
mod schema_bomb;
mod schemas;
mod senders;
mod servers;
mod service_manager;
mod setup;
mod setup_topics;
mod shutdown;
mod static_members;
mod strangers;
mod swap;
mod taken;
mod templates;
mod time_indices;
mod time_units;

mod tls;
mod topic_rules;
mod topics;
mod versions;
