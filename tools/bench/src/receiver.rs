//! Measures the way from HTTP to Kafka, compared with axum reading the body and answering 200.

use std::net::SocketAddr;

use anyhow::Context;

use super::child::Child;
use super::load::Load;
use super::part::Part;
use super::report::{Line, Report};
use super::sample::Sample;
use super::setup::Setup;
use harness::config::Config;
use harness::pipeline::ready;
use harness::usage::Usage;

/// The factor on the connections for a crowd.
const CROWD: u16 = 8;
/// The requests per second for a calm load.
const CALM: f64 = 200.0;
/// The duration of the calm load, in seconds.
const CALM_SECONDS: u64 = 10;

/// Measures the floor, the receiver, and the floor at the receiver's rate once each. Also measures the receiver with
/// more connections, and with few requests.
///
/// # Errors
/// If one of them does not answer 200 to each request.
pub(super) async fn round(setup: &Setup, load: &Load, report: &mut Report) -> anyhow::Result<()> {
    report.add(Line::HttpFloor, floor(load).await?);
    let sample = receiver(setup, load).await?;
    report.add(Line::Receiver, sample);
    report.add(Line::HttpFloorAtRate, floor(&load.at_rate(sample.rate())).await?);
    report.add(Line::ReceiverCrowd, receiver(setup, &load.crowded(CROWD)).await?);
    report.add(Line::ReceiverCalm, receiver(setup, &load.at_rate(CALM).of(CALM as u64 * CALM_SECONDS)).await?);
    Ok(())
}

/// Measures the receiver with container files once.
///
/// # Errors
/// As for [`round`].
pub(super) async fn files_round(setup: &Setup, load: &Load, report: &mut Report) -> anyhow::Result<()> {
    report.add(Line::ReceiverFiles, receiver(setup, load).await?);
    Ok(())
}

async fn receiver(setup: &Setup, load: &Load) -> anyhow::Result<Sample> {
    under_load(setup, setup.config(), load).await
}

/// Measures a receiver with `config`.
///
/// # Errors
/// If it does not answer 200 to each request.
pub(super) async fn under_load(setup: &Setup, config: Config, load: &Load) -> anyhow::Result<Sample> {
    let (mut receiver, address, admin) = setup.receiver(config)?;
    let outcome = async {
        ready(&admin).await?;
        measure(receiver.id(), address, load).await
    };
    match outcome.await {
        Ok(sample) => Ok(sample),
        Err(error) => {
            receiver.ensure_running().context("penstock-receiver")?;
            Err(error.context(format!("penstock-receiver; {}", receiver.last_lines())))
        }
    }
}

async fn floor(load: &Load) -> anyhow::Result<Sample> {
    let (server, address) = Child::server(&[Part::HTTP_FLOOR]).await?;
    measure(server.id(), address, load).await.context("axum answering 200")
}

/// Warms the server up, then measures it, so that its start does not count.
async fn measure(id: u32, address: SocketAddr, load: &Load) -> anyhow::Result<Sample> {
    load.warm_up(address).await?;
    let before = Usage::of(id)?;
    let sample = load.send(address).await?;
    Ok(sample.with_usage_between(before, Usage::of(id)?))
}
