//! A link to the stack's registry that can be cut.

use crate::ports;
use crate::proxy::Proxy;
use crate::stack::{API, Stack};

/// A link to the registry, on its own port.
pub struct RegistryLink {
    upstream: String,
    port: u16,
    proxy: Option<Proxy>,
}

impl RegistryLink {
    /// Opens a link to the registry of `stack`.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn open(stack: &Stack) -> anyhow::Result<Self> {
        let upstream = stack.registry_url().trim_end_matches(API).to_owned();
        let mut link = Self { upstream, port: ports::free()?, proxy: None };
        link.reopen().await?;
        Ok(link)
    }

    /// Returns the value for `schema_registry.url`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{API}", self.port)
    }

    /// Cuts the link: nothing listens on its port any more.
    pub fn cut(&mut self) {
        self.proxy = None;
    }

    /// Makes the registry available again.
    ///
    /// # Errors
    /// If the port has been taken in the meantime.
    pub async fn reopen(&mut self) -> anyhow::Result<()> {
        self.proxy = Some(Proxy::start_at(self.port, &self.upstream, Box::new(|_, _| None)).await?);
        Ok(())
    }
}
