//! Opens a port of a service, and says what to do if the port is unavailable.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// The most connections that may wait to be accepted. If more arrive at the same time, the system drops one, and its
/// client tries again a second later. The system may allow fewer (`net.core.somaxconn`).
const BACKLOG: u32 = 4_096;

/// Says that the service cannot listen on an address.
#[derive(Debug, thiserror::Error)]
#[error("{key}: cannot listen on {address}: {}", reason(.source))]
pub struct BindError {
    /// The config key.
    pub key: &'static str,
    /// The address.
    pub address: SocketAddr,
    /// The system's error.
    pub source: std::io::Error,
}

/// Listens on `address`, the value of the config key `key`. Port 0 takes any free port. Call this within a tokio
/// runtime.
///
/// # Errors
/// [`BindError`], naming the key and the address.
pub fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, BindError> {
    listen(address).map_err(|source| BindError { key, address, source })
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Without this, a restart would wait until the system has forgotten the previous connections.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => "the port is in use by another process: stop that one or set another port".to_owned(),
        ErrorKind::PermissionDenied => "not permitted: take a port above 1023 or give the process the right".to_owned(),
        ErrorKind::AddrNotAvailable => "no network interface of this machine has the address".to_owned(),
        _ => error.to_string(),
    }
}
