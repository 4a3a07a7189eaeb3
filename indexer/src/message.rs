//! The messages between the stages. These types do not depend on any stage.

pub mod progress;
pub mod record;
pub mod report;
pub mod target;
