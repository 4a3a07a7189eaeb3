//! Where requests wait whose sender is not known before the body is there: those with a signature.
//!
//! Anybody can send a head with a signature that looks right, and let its body come late or never. So those requests
//! have permits and bytes of their own. Where there is none left, one of them gives way: of the source that has the
//! most, of its address that has the most, the oldest. An honest body is there within milliseconds, and a sender that
//! waits longer than all others is most likely not.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::body_budget::MemoryBudget;
use crate::client::network;

/// All permits.
#[derive(Debug)]
pub(crate) struct Anteroom {
    capacity: usize,
    /// The bytes of the bodies of those who wait.
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
    /// Those of each address, oldest first.
    addresses: HashMap<IpAddr, BTreeMap<u64, CancellationToken>>,
}

/// One who waits. Leaves when dropped.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    anteroom: &'a Anteroom,
    source: Arc<str>,
    address: IpAddr,
    number: u64,
    give_way: CancellationToken,
}

impl Anteroom {
    /// `capacity` requests may wait; together they may hold `bytes`.
    pub(crate) fn new(capacity: usize, bytes: usize) -> Self {
        Self { capacity, bytes: MemoryBudget::new(bytes), state: Mutex::default(), left: Notify::new() }
    }

    /// Lets a request to `source` from `address` wait; another one gives way where there is no permit.
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
    /// Asks one to give way.
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
    /// Waits until the request has to give way to another one.
    pub(super) async fn gives_way(&self) {
        self.give_way.cancelled().await;
    }

    /// Asks one to give way, since there is no room for bytes, and waits until one has left.
    pub(super) async fn make_room(&self) {
        let mut left = pin!(self.anteroom.left.notified());
        left.as_mut().enable();
        self.anteroom.lock().make_room();
        left.await;
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        // It is gone already where it had to give way.
        self.anteroom.lock().remove(&self.source, self.address, self.number);
        self.anteroom.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
