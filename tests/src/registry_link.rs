//! A way to the stack's registry that can be cut off.

use crate::ports;
use crate::proxy::Proxy;
use crate::stack::{API, Stack};

/// A way to the registry, on a port of its own.
pub struct RegistryLink {
    upstream: String,
    port: u16,
    proxy: Option<Proxy>,
}

impl RegistryLink {
    /// One through which the registry of `stack` is available.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn open(stack: &Stack) -> anyhow::Result<Self> {
        let upstream = stack.registry_url().trim_end_matches(API).to_owned();
        let mut link = Self { upstream, port: ports::free()?, proxy: None };
        link.reopen().await?;
        Ok(link)
    }

    /// For `schema_registry.url`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{API}", self.port)
    }

    /// From now on nobody listens.
    pub fn cut(&mut self) {
        self.proxy = None;
    }

    /// The registry is available again.
    ///
    /// # Errors
    /// When the port is taken meanwhile.
    pub async fn reopen(&mut self) -> anyhow::Result<()> {
        self.proxy = Some(Proxy::start_at(self.port, &self.upstream, Box::new(|_, _| None)).await?);
        Ok(())
    }
}
