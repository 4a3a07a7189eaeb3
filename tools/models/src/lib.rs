//! Models of the indexer's concurrent cores. `stateright` explores every order in which their steps can happen.
//!
//! A model is the world around a pure part of the indexer: Kafka, Elasticsearch, the clocks, other indexers, crashes.
//! The part itself is not modelled. Each state holds the real types of the indexer's library, and each step calls
//! their real functions: the ledger and the books of the consuming thread in [`ledger`], the evidence on doubtful
//! documents in [`doubt`], the limit and the breaker in [`throttle`], the table of backing indices in [`placement`] and
//! [`swap`].
//!
//! Every model is finite and has no cycles: each step uses up something, such as a record, an attempt or one of a few
//! faults. Steps that change nothing are left out. So each path ends, and a property that must hold in the end can be
//! checked where it ends. All such properties stay true once they are true; with that, `stateright`'s `eventually` is
//! exact (it does not follow cycles, and does not keep apart the paths that lead to one state).
//!
//! [`Broken`] breaks each model in several ways, and the tests show that each breakage is found. A new model is a file
//! here, with its breakages in [`broken`].

pub mod broken;
pub mod doubt;
pub mod explore;
pub mod ledger;
pub mod placement;
pub mod swap;
pub mod throttle;
pub mod worlds;

pub use broken::Broken;
pub use explore::{Explored, explore, first_failure};

#[cfg(test)]
mod tests;
