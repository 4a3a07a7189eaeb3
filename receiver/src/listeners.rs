//! The ports of the receiver. They are bound before anything else, so that a taken port is reported immediately.

use service::listen::{BindError, bind};
use tokio::net::TcpListener;

use crate::config::Config;

/// The two ports of a receiver.
#[derive(Debug)]
pub struct Listeners {
    /// Where webhooks arrive.
    pub http: TcpListener,
    /// Where `/metrics`, `/livez` and `/readyz` answer.
    pub admin: TcpListener,
}

impl Listeners {
    /// Binds `receiver.listen` and `receiver.admin_listen`; port 0 takes any free port.
    ///
    /// # Errors
    /// [`BindError`], naming the key and the address.
    pub fn bind(config: &Config) -> Result<Self, BindError> {
        Ok(Self {
            http: bind("receiver.listen", config.receiver.listen)?,
            admin: bind("receiver.admin_listen", config.receiver.admin_listen)?,
        })
    }
}
