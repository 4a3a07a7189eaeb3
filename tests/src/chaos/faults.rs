//! The faults, a file for each kind.

use super::fault::Kind;
use super::inject::Fault;
use crate::stack::Part;

mod alias;
mod clock;
mod close;
mod contradiction;
mod copied;
mod delete;
mod full_disk;
mod full_queue;
mod leader;
mod mapping;
mod part;
mod partition;
mod quorum;
mod read_only;
mod retention;
mod roll_over;
mod schema;
mod service;
mod template;
mod token;
mod weather;

/// Returns the fault for `kind`.
pub(crate) fn of(kind: Kind) -> Box<dyn Fault> {
    match kind {
        Kind::Service(service, loss) => Box::new(service::ServiceLoss::new(service, loss)),
        Kind::Broker(number, loss) => Box::new(part::PartLoss::new(Part::Broker(number), loss)),
        Kind::Leader => Box::new(leader::Leader::default()),
        Kind::Quorum(number) => Box::new(quorum::Quorum::new(number)),
        Kind::Node(number, loss) => Box::new(part::PartLoss::new(Part::Node(number), loss)),
        Kind::FullQueue(number) => Box::new(full_queue::FullQueue::new(number)),
        Kind::ReadOnly(which) => Box::new(read_only::ReadOnly::new(which)),
        Kind::Close(which) => Box::new(close::Close::new(which)),
        Kind::Delete => Box::new(delete::Delete),
        Kind::RollOver(documents) => Box::new(roll_over::RollOver::new(documents)),
        Kind::Copied(copying) => Box::new(copied::Copied::new(copying)),
        Kind::FullDisk => Box::new(full_disk::FullDisk),
        Kind::Alias => Box::new(alias::Alias::default()),
        Kind::Clock(clock, ahead) => Box::new(clock::Step::new(clock, ahead)),
        Kind::Retention(records) => Box::new(retention::Retention::new(records)),
        Kind::Template => Box::new(template::Template),
        Kind::StrictMapping => Box::new(mapping::Strict),
        Kind::Weather(wire, weather) => Box::new(weather::Bad::new(wire, weather)),
        Kind::Schema => Box::new(schema::Schema),
        Kind::Contradiction => Box::new(contradiction::Contradiction),
        Kind::Partition => Box::new(partition::Partition),
        Kind::Token => Box::new(token::Token::default()),
        Kind::Registry(loss) => Box::new(part::PartLoss::new(Part::Registry, loss)),
    }
}
