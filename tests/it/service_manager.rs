//! The services under a service manager: systemd's protocol for units with `Type=notify`, on a socket of the test.

use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;

use anyhow::{Context, Result};
use harness::eventually::eventually;
use harness::pipeline::Pipeline;
use harness::ports;
use harness::process::{self, Binary, Process, write_config};
use harness::registry_link::RegistryLink;
use harness::stack::Stack;

/// The messages that have arrived at the socket, in order.
struct Notified {
    socket: UnixDatagram,
    messages: Vec<String>,
}

impl Notified {
    fn bind(path: &std::path::Path) -> Result<Self> {
        let socket = UnixDatagram::bind(path).with_context(|| format!("cannot bind {}", path.display()))?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, messages: Vec::new() })
    }

    /// Returns whether a message that begins with `head` and contains `part` has arrived.
    fn has(&mut self, head: &str, part: &str) -> bool {
        let mut buffer = [0; 4_096];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            self.messages.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        self.messages.iter().any(|message| message.starts_with(head) && message.contains(part))
    }

    async fn arrives(&mut self, head: &str, part: &str) -> Result<()> {
        let what = format!("{head}… with {part:?} is sent");
        let this = tokio::sync::Mutex::new(self);
        eventually(&what, || async {
            let mut this = this.lock().await;
            anyhow::ensure!(this.has(head, part), "{:?}", this.messages);
            Ok(())
        })
        .await
    }
}

/// Starts `binary` while the registry is unavailable. Its unit must be ready only when the service is.
async fn is_announced(binary: Binary, scenario: &str, unmet: Option<&str>) -> Result<()> {
    process::build().await?;
    let stack = Stack::running()?;
    let mut pipeline = Pipeline::new(&stack, scenario).await?;
    let mut link = RegistryLink::open(&stack).await?;
    pipeline.config.schema_registry.url = link.url();
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    pipeline.config.receiver.listen = local(ports::free()?);
    pipeline.config.receiver.admin_listen = local(ports::free()?);
    pipeline.config.indexer.admin_listen = local(ports::free()?);
    let (config, log, socket) = (pipeline.file("config.yaml"), pipeline.file("log"), pipeline.file("notify"));
    write_config(&pipeline.config, &config)?;
    let mut notified = Notified::bind(&socket)?;
    let environment = [("NOTIFY_SOCKET".to_owned(), socket.display().to_string())];
    link.cut();
    let mut process = Process::start(binary, &config, &environment, &log)?;
    if let Some(reason) = unmet {
        notified.arrives("STATUS=not ready", reason).await?;
        assert!(!notified.has("READY=1", ""), "{:?}", notified.messages);
        link.reopen().await?;
    }
    notified.arrives("READY=1", "").await?;
    notified.arrives("STATUS=ready", "").await?;
    process.terminate()?;
    let status = process.ended().await?;
    assert!(status.success(), "{status}\n{}", process.last_lines());
    notified.arrives("STOPPING=1", "").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receivers_unit_follows_readiness_and_shows_the_reason() -> Result<()> {
    is_announced(Binary::Receiver, "notify-receiver", Some("subject")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_indexers_unit_follows_readiness() -> Result<()> {
    is_announced(Binary::Indexer, "notify-indexer", None).await
}
