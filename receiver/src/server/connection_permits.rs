//! The permits for connections: a number in all, and a number for each address.
//!
//! When no permit is left, the oldest connection without an authenticated request is asked to close. So a sender who
//! cannot authenticate cannot keep out senders who can, however many connections it opens and holds.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, network};

/// All permits of a listener.
#[derive(Debug)]
pub(super) struct ConnectionPermits {
    max: usize,
    max_per_address: usize,
    state: Mutex<PermitState>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct PermitState {
    by_address: HashMap<IpAddr, usize>,
    /// The connections that may be asked to give way, oldest first. Known ones are removed when the list is next used.
    strangers: BTreeMap<u64, Stranger>,
    taken: usize,
    next: u64,
}

#[derive(Debug)]
struct Stranger {
    address: IpAddr,
    client: Arc<OnceLock<Arc<Client>>>,
    give_way: CancellationToken,
}

/// The permit of one connection. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    permits: Arc<ConnectionPermits>,
    number: u64,
    address: IpAddr,
    client: Arc<OnceLock<Arc<Client>>>,
    give_way: CancellationToken,
}

/// Says why there is no permit.
enum NoPermit {
    /// All are taken, but one may become free soon.
    Full,
    /// The address has reached its limit, and all its connections are known.
    TooMany,
}

impl ConnectionPermits {
    /// Creates `max` permits. One address may have `max_per_address`.
    pub(super) fn new(max: usize, max_per_address: usize) -> Arc<Self> {
        Arc::new(Self { max, max_per_address, state: Mutex::default(), freed: Notify::new() })
    }

    /// Waits for a permit for a connection from `address`. Returns `None` if that address has too many, unless it is
    /// not `limited`. The connection must end when `give_way` is cancelled. Only one task at a time may wait here.
    pub(super) async fn take(
        self: &Arc<Self>,
        address: IpAddr,
        limited: bool,
        give_way: &CancellationToken,
    ) -> Option<ConnectionPermit> {
        loop {
            match self.try_take(network(address), limited, give_way) {
                Ok(permit) => return Some(permit),
                Err(NoPermit::Full) => self.freed.notified().await,
                Err(NoPermit::TooMany) => return None,
            }
        }
    }

    fn try_take(
        self: &Arc<Self>,
        address: IpAddr,
        limited: bool,
        give_way: &CancellationToken,
    ) -> Result<ConnectionPermit, NoPermit> {
        let mut state = self.lock();
        if limited && state.has_all(address, self.max_per_address) {
            let asked = state.ask_to_give_way(|stranger| stranger.address == address);
            return Err(if asked { NoPermit::Full } else { NoPermit::TooMany });
        }
        if state.taken >= self.max {
            state.ask_to_give_way(|_| true);
            return Err(NoPermit::Full);
        }
        state.taken += 1;
        state.add(address);
        let (number, client, give_way) = (state.next, Arc::default(), give_way.clone());
        state.next += 1;
        let stranger = Stranger { address, client: Arc::clone(&client), give_way: give_way.clone() };
        state.strangers.insert(number, stranger);
        Ok(ConnectionPermit { permits: Arc::clone(self), number, address, client, give_way })
    }

    fn lock(&self) -> MutexGuard<'_, PermitState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PermitState {
    /// Returns whether `address` has `max` permits.
    fn has_all(&self, address: IpAddr, max: usize) -> bool {
        self.by_address.get(&address).is_some_and(|taken| *taken >= max)
    }

    /// Counts a permit of `address`.
    fn add(&mut self, address: IpAddr) {
        *self.by_address.entry(address).or_default() += 1;
    }

    /// Counts one permit of `address` less.
    fn remove(&mut self, address: IpAddr) {
        if let Some(taken) = self.by_address.get_mut(&address) {
            *taken -= 1;
            if *taken == 0 {
                self.by_address.remove(&address);
            }
        }
    }

    /// Asks the oldest stranger for which `may` holds to give way. Returns whether there was one.
    fn ask_to_give_way(&mut self, may: impl Fn(&Stranger) -> bool) -> bool {
        let is_known = |stranger: &Stranger| stranger.client.get().is_some_and(|client| client.is_known());
        self.strangers.retain(|_, stranger| !is_known(stranger));
        let oldest = self.strangers.iter().find(|(_, stranger)| may(stranger)).map(|(number, _)| *number);
        let Some(stranger) = oldest.and_then(|number| self.strangers.remove(&number)) else {
            return false;
        };
        stranger.give_way.cancel();
        true
    }
}

impl ConnectionPermit {
    /// Links the permit with the client of its connection, which shows later whether its sender is known.
    pub(super) fn set_client(&self, client: &Arc<Client>) {
        self.client.get_or_init(|| Arc::clone(client));
    }

    /// Counts the connection for `address` from now on, because a proxy named that address. Returns false if the
    /// address has too many; the connection must then close. If an older connection of the address gives way, the
    /// address may be one over its limit for a moment.
    pub(super) fn move_to(&mut self, address: IpAddr) -> bool {
        let address = network(address);
        let mut state = self.permits.lock();
        let own = state.strangers.remove(&self.number);
        if state.has_all(address, self.permits.max_per_address)
            && !state.ask_to_give_way(|stranger| stranger.address == address)
        {
            return false;
        }
        state.remove(self.address);
        state.add(address);
        // It is missing if it was asked to give way in the meantime.
        if let Some(stranger) = own {
            state.strangers.insert(self.number, Stranger { address, ..stranger });
        }
        drop(state);
        self.address = address;
        true
    }

    /// Waits until the connection must end.
    pub(super) async fn give_way(&self) {
        self.give_way.cancelled().await;
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut state = self.permits.lock();
        state.taken -= 1;
        state.strangers.remove(&self.number);
        state.remove(self.address);
        drop(state);
        self.permits.freed.notify_one();
    }
}

#[cfg(test)]
mod tests;
