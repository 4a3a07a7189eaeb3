//! What the stages hand each other. These types know no stage.

pub mod progress;
pub mod record;
pub mod report;
pub mod target;
