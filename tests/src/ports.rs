//! Ports for what cannot take port 0: a process whose address must be known before it starts, and outlive its restart.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that the system gives to outgoing connections (from 32768 on Linux, from 49152 on macOS), so that
/// nobody gets one of these by chance while its owner is being restarted.
const LOWEST: u16 = 20_000;
const HOW_MANY: u16 = 10_000;

/// A port of 127.0.0.1 that is free now and was not given out before by this process.
///
/// # Errors
/// When none is free.
pub fn free() -> anyhow::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % u32::from(HOW_MANY))?;
    for _ in 0..HOW_MANY {
        // Steps of 7, which HOW_MANY does not divide by: two processes with neighbouring ids do not follow each other.
        let step = NEXT.fetch_add(7, Ordering::Relaxed) % HOW_MANY;
        let port = LOWEST + (first + step) % HOW_MANY;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no port between {LOWEST} and {} is free", LOWEST + HOW_MANY)
}
