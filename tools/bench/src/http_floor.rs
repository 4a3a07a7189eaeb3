//! The floor of the receiver: axum reads the body and answers 200.

use receiver::config::Receiver;

use super::child;
use harness::pipeline::PATH;

/// Serves until the process is killed, with as many threads as the receiver.
pub(super) fn run() -> anyhow::Result<()> {
    let threads = Receiver::default().worker_threads();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        child::say(&listener.local_addr()?);
        let post = axum::routing::post(async |_: bytes::Bytes| "ok");
        let router = axum::Router::new().route(PATH, post);
        axum::serve(listener, router).await?;
        Ok(())
    })
}
