//! CXone uses HTTPS, so a proxy on the way opens a tunnel.

use anyhow::Result;
use harness::certificates::Authority;
use harness::event::SCHEMA;
use harness::forward_proxy::{ForwardProxy, environment};
use harness::paths;
use harness::pipeline::Pipeline;
use harness::process::{self, Binary, write_config};
use harness::terminator::Terminator;

use super::stub::Stub;

/// Pulls the schema with these environment variables, and returns the whole output.
async fn pull(pipeline: &Pipeline, variables: &[(&str, &str)]) -> Result<String> {
    let file = pipeline.file("penstock.yaml");
    write_config(&pipeline.config, &file)?;
    let mut command = std::process::Command::new(paths::profile()?.join(Binary::Receiver.name()));
    command.arg("--config").arg(file).args(["schema", "pull"]).envs(environment(variables));
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    anyhow::ensure!(!ForwardProxy::PASSWORDS.iter().any(|password| said.contains(password)), "{said}");
    Ok(said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_goes_through_the_tunnel_of_a_proxy() -> Result<()> {
    // An environment variable sets the key, because a config file with a password is never written.
    const KEY: &str = "PENSTOCK__CXONE__PROXY";
    process::build().await?;
    let stub = Stub::start(SCHEMA).await?;
    let mut pipeline = super::pipeline("cxone-tunnel", &stub).await?;
    let authority = Authority::new(&pipeline.file("authority"))?;
    let plain = pipeline.config.cxone.tenant_url.clone().unwrap_or_default();
    let terminator = Terminator::start(&plain, &authority.issue("cxone", &["127.0.0.1"])?).await?;
    let tenant = format!("https://127.0.0.1:{}", terminator.port());
    pipeline.config.cxone.tenant_url = Some(tenant.clone());
    let (ca, pulled) = (authority.ca_file().display().to_string(), "unchanged, version 1");
    let trusted = ("SSL_CERT_FILE", ca.as_str());

    let by_key = ForwardProxy::start().await?;
    let said = pull(&pipeline, &[trusted, (KEY, &by_key.url())]).await?;
    assert!(said.contains(pulled) && by_key.tunnels(&tenant) > 0 && by_key.requests(&tenant) == 0, "{said}");
    let (before, wrong) = (by_key.tunnels(&tenant), by_key.url_of_stranger());
    let said = pull(&pipeline, &[trusted, (KEY, &wrong)]).await?;
    assert!(said.contains("proxy") && by_key.tunnels(&tenant) == before, "{said}");

    let by_variable = ForwardProxy::start().await?;
    let url = by_variable.url();
    let said = pull(&pipeline, &[trusted, ("HTTPS_PROXY", &url)]).await?;
    assert!(said.contains(pulled) && by_variable.tunnels(&tenant) > 0, "{said}");
    let before = by_variable.tunnels(&tenant);
    let said = pull(&pipeline, &[trusted, ("HTTPS_PROXY", &url), ("NO_PROXY", "127.0.0.0/8")]).await?;
    assert!(said.contains(pulled) && by_variable.tunnels(&tenant) == before, "{said}");
    Ok(())
}
