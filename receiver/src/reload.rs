//! Checks every few seconds whether the files that the config names (secrets, certificates) have changed.
//!
//! It reads the files instead of their modification times. If a file is a link that is switched to another one, as in
//! Kubernetes, its time says little.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::Tls;
use crate::source::Source;

/// The interval of the checks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Keeps the secrets of `sources` and the certificates up to date until `shutdown`.
pub(crate) async fn watch(sources: Vec<Arc<Source>>, tls: Option<Arc<Tls>>, shutdown: CancellationToken) {
    while shutdown.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        let (sources, tls) = (sources.clone(), tls.clone());
        let look = tokio::task::spawn_blocking(move || {
            sources.iter().for_each(|source| source.authenticator.reload());
            if let Some(tls) = tls {
                tls.reload();
            }
        });
        if let Err(error) = look.await {
            tracing::error!(%error, "The check of the files with secrets and certificates failed.");
        }
    }
}
