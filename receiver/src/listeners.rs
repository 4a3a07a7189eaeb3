//! The ports of the receiver, bound before anything else so that a taken port is told at once.

use std::io::ErrorKind;
use std::net::SocketAddr;

use shared::config::Config;
use tokio::net::TcpListener;

/// The two ports of a receiver.
#[derive(Debug)]
pub struct Listeners {
    /// Where webhooks arrive.
    pub http: TcpListener,
    /// Where `/metrics`, `/livez` and `/readyz` answer.
    pub admin: TcpListener,
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{key}: cannot listen on {address}: {}", reason(.source))]
pub struct BindError {
    /// The config key.
    pub key: &'static str,
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    pub source: std::io::Error,
}

impl Listeners {
    /// Binds `receiver.listen` and `receiver.admin_listen`; port 0 takes any free port.
    ///
    /// # Errors
    /// [`BindError`], naming the key and the address.
    pub async fn bind(config: &Config) -> Result<Self, BindError> {
        Ok(Self {
            http: bind("receiver.listen", config.receiver.listen).await?,
            admin: bind("receiver.admin_listen", config.receiver.admin_listen).await?,
        })
    }
}

async fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| BindError { key, address, source })
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => "the port is in use by another process: stop that one or set another port".to_owned(),
        ErrorKind::PermissionDenied => "not permitted: take a port above 1023 or give the process the right".to_owned(),
        ErrorKind::AddrNotAvailable => "no network interface of this machine has the address".to_owned(),
        _ => error.to_string(),
    }
}
