//! Holds the requests whose sender is unknown until the body has arrived: those with a signature.
//!
//! Anyone can send a head with a plausible signature, and a body that arrives late or never. So these requests have
//! permits and bytes of their own. When none are left, one request gives way: the oldest of the busiest address of the
//! busiest source. An honest body arrives within milliseconds, so a sender that waits longer than all others is most
//! likely not honest.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::body_budget::MemoryBudget;
use crate::client::network;

/// The permits of all waiting requests.
#[derive(Debug)]
pub(super) struct Anteroom {
    capacity: usize,
    /// The budget for the bodies of the waiting requests.
    pub(super) bytes: MemoryBudget,
    state: Mutex<AnteroomState>,
    left: Notify,
}

#[derive(Debug, Default)]
struct AnteroomState {
    sources: HashMap<Arc<str>, OfSource>,
    waiting: usize,
    next: u64,
}

#[derive(Debug, Default)]
struct OfSource {
    waiting: usize,
    /// The waiting requests of each address, oldest first.
    addresses: HashMap<IpAddr, BTreeMap<u64, CancellationToken>>,
}

/// A waiting request. It leaves when dropped.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    anteroom: &'a Anteroom,
    source: Arc<str>,
    address: IpAddr,
    number: u64,
    give_way: CancellationToken,
}

impl Anteroom {
    /// Creates an anteroom for `capacity` requests, which may hold `bytes` together.
    pub(super) fn new(capacity: usize, bytes: usize) -> Self {
        Self { capacity, bytes: MemoryBudget::new(bytes), state: Mutex::default(), left: Notify::new() }
    }

    /// Lets a request to `source` from `address` wait. If no permit is left, another request gives way.
    pub(super) fn enter(&self, source: &Arc<str>, address: IpAddr) -> Waiter<'_> {
        let (address, mut state) = (network(address), self.lock());
        if state.waiting >= self.capacity {
            state.make_room();
        }
        let (number, give_way) = (state.next, CancellationToken::new());
        state.next += 1;
        state.waiting += 1;
        let of_source = state.sources.entry(Arc::clone(source)).or_default();
        of_source.waiting += 1;
        of_source.addresses.entry(address).or_default().insert(number, give_way.clone());
        Waiter { anteroom: self, source: Arc::clone(source), address, number, give_way }
    }

    fn lock(&self) -> MutexGuard<'_, AnteroomState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AnteroomState {
    /// Asks one request to give way.
    fn make_room(&mut self) {
        let source = self.sources.iter().max_by_key(|(_, source)| source.waiting).map(|(name, _)| Arc::clone(name));
        let most = source.and_then(|name| {
            let addresses = &self.sources.get(&name)?.addresses;
            let (address, waiting) = addresses.iter().max_by_key(|(_, waiting)| waiting.len())?;
            Some((name, *address, *waiting.first_key_value()?.0))
        });
        if let Some((source, address, number)) = most
            && let Some(give_way) = self.remove(&source, address, number)
        {
            give_way.cancel();
        }
    }

    fn remove(&mut self, source: &Arc<str>, address: IpAddr, number: u64) -> Option<CancellationToken> {
        let of_source = self.sources.get_mut(source)?;
        let of_address = of_source.addresses.get_mut(&address)?;
        let give_way = of_address.remove(&number)?;
        if of_address.is_empty() {
            of_source.addresses.remove(&address);
        }
        of_source.waiting -= 1;
        self.waiting -= 1;
        Some(give_way)
    }
}

impl Waiter<'_> {
    /// Waits until the request must give way to another.
    pub(super) async fn gives_way(&self) {
        self.give_way.cancelled().await;
    }

    /// Asks one request to give way because there is no room for bytes, and waits until one has left.
    pub(super) async fn make_room(&self) {
        let mut left = pin!(self.anteroom.left.notified());
        left.as_mut().enable();
        self.anteroom.lock().make_room();
        left.await;
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        // A request that had to give way is already removed.
        self.anteroom.lock().remove(&self.source, self.address, self.number);
        self.anteroom.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
