//! Ports for processes that cannot take port 0, because their address must be known before the start and survive
//! restarts.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// The lowest port. The range is below the ports for outgoing connections (from 32768 on Linux, from 49152 on macOS),
/// so that no connection takes a port while its owner restarts.
const LOWEST: u16 = 20_000;
const HOW_MANY: u16 = 10_000;

/// Returns a port of 127.0.0.1 that is free now and was not returned before by this process.
///
/// # Errors
/// If no port is free.
pub fn free() -> anyhow::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % u32::from(HOW_MANY))?;
    for _ in 0..HOW_MANY {
        // In steps of 7, which does not divide HOW_MANY, so that processes with neighbouring ids do not collide.
        let step = NEXT.fetch_add(7, Ordering::Relaxed) % HOW_MANY;
        let port = LOWEST + (first + step) % HOW_MANY;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no port between {LOWEST} and {} is free", LOWEST + HOW_MANY)
}
