//! The audit: compares everything that was sent, with bytes and answers, with everything that was stored.
//!
//! A [`sender`] keeps a [`Journal`]. At the end, [`world`] reads every record, document, dead letter and quarantined
//! body, and the [`Ledger`] judges: each acknowledged event is exactly one document or has a dead letter, and nothing
//! else is stored anywhere. The [`Oracle`] says what each document must be: it decodes with apache-avro, which neither
//! service uses to read events. The audit allows the documented [`Exceptions`] and nothing else.
//!
//! A new kind of failure is a variant of [`Kind`], a rule in `ledger.rs`, and a unit test with fabricated data in
//! `tests.rs`.

pub use exceptions::Exceptions;
pub use findings::{Finding, Findings, Kind};
pub use journal::{Entry, HttpAnswer, Intent, Journal};
pub use ledger::Ledger;
pub use observed::{Document, Letter, Written};
pub use oracle::Oracle;

mod exceptions;
mod findings;
mod journal;
mod ledger;
mod observed;
mod oracle;
pub mod plan;
pub mod sender;
pub mod world;

#[cfg(test)]
mod tests;
