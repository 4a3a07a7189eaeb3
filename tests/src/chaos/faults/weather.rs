//! A link has bad weather: it is cut, slow, narrow or silent, or blocks answers.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::chaos::fault::Wire;
use crate::chaos::inject::Fault;
use crate::chaos::scene::Scene;
use crate::link::Weather;

pub(crate) struct Bad {
    wire: Wire,
    weather: Weather,
}

impl Bad {
    pub(crate) fn new(wire: Wire, weather: Weather) -> Self {
        Self { wire, weather }
    }
}

impl Fault for Bad {
    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            scene.link(self.wire).set(self.weather);
            Ok(())
        })
    }

    fn undo<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            scene.link(self.wire).set(Weather::Fair);
            Ok(())
        })
    }
}
