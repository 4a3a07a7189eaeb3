//! The status pages of both services in a browser, on the real parts: figures, plots, blocks with their reason, and
//! hostile text that stays text.
//!
//! `PENSTOCK_PICTURES` names a folder for screenshots of the pages.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use harness::browser::{self, Page, View};
use harness::event::Events;
use harness::eventually::eventually;
use harness::front::Front;
use harness::http::{self, Method};
use harness::indexer_process::IndexerProcess;
use harness::pipeline::Pipeline;
use harness::process;
use harness::sender::{Flaw, Mix, Progress};
use harness::stack::Stack;
use serde_json::{Value, json};

const DESKTOP: View<'_> = View { size: (1280, 1500), arguments: &[] };
/// Time in the page runs as fast as possible, for longer than the page waits between two requests.
const LATER: View<'_> = View { size: (1280, 1500), arguments: &["--virtual-time-budget=12000"] };
/// Text that would run if it became markup.
const HOSTILE: &str = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">";

struct Scene {
    pipeline: Pipeline,
    receiver: Front,
    indexer: IndexerProcess,
    mix: Mix,
}

impl Scene {
    async fn new() -> Result<Self> {
        process::build().await?;
        let pipeline = Pipeline::new(&Stack::running()?, "status-page").await?;
        let (receiver, indexer) = (Front::start(&pipeline, |_| ()).await?, IndexerProcess::start(&pipeline, 0)?);
        indexer.ready().await?;
        let mix = Mix { events: Events::unique(), flawed_every: 10, flaws: &[Flaw::Unmappable, Flaw::Truncated] };
        Ok(Self { pipeline, receiver, indexer, mix })
    }

    /// Sends `count` events through the receiver.
    async fn send(&self, count: u64) -> Result<()> {
        let load = self.pipeline.load(vec![self.receiver.target()], 4, count, self.mix);
        load.send(&Arc::new(Progress::default())).await.map(drop)
    }

    /// Sends 200 events a second while `watch` runs, so that no rate on a page falls to zero. Returns how many were
    /// accepted, and the result of `watch`.
    async fn under_load<T>(&self, watch: impl Future<Output = Result<T>>) -> Result<(usize, T)> {
        let mut load = self.pipeline.load(vec![self.receiver.target()], 4, 1_000, self.mix);
        load.per_second = Some(200);
        let progress = Arc::new(Progress::held());
        let watched = async {
            let watched = watch.await;
            progress.release();
            watched
        };
        let (sent, watched) = tokio::join!(load.send(&progress), watched);
        Ok((sent?.acknowledged.len(), watched?))
    }

    /// Changes a setting of the index.
    async fn set(&self, name: &str, value: Value) -> Result<()> {
        let settings = format!("{}/_settings", self.pipeline.config.elasticsearch.index_name);
        self.pipeline.search.call(Method::PUT, &settings, &json!({ name: value })).await.map(drop)
    }

    fn picture(&self, name: &str) -> PathBuf {
        let kept = std::env::var_os("PENSTOCK_PICTURES").map(PathBuf::from);
        kept.unwrap_or_else(|| self.pipeline.folder.path().to_owned()).join(format!("{name}.png"))
    }

    async fn open(&self, admin_url: &str, view: View<'_>, name: &str) -> Result<Page> {
        browser::open(&format!("{admin_url}/"), view, &self.picture(name)).await
    }

    /// Opens the page on a phone, without the header that would stop hostile markup from running.
    async fn open_narrow(&self, admin_url: &str, name: &str) -> Result<Page> {
        let html = http::get(&format!("{admin_url}/")).await?.text();
        let file = self.pipeline.file(&format!("{name}.html"));
        std::fs::write(&file, browser::narrow(&html, 360, 3_400))?;
        let view = View { size: (500, 3_400), arguments: &[] };
        browser::open(&format!("file://{}", file.display()), view, &self.picture(name)).await
    }

    /// Waits until `is` accepts the `/status.json` at this address.
    async fn status(&self, what: &str, admin_url: &str, is: impl Fn(&Value) -> bool) -> Result<Value> {
        eventually(what, || async {
            let status = http::get(&format!("{admin_url}/status.json")).await?.json()?;
            ensure!(is(&status), "{status:#}");
            Ok(status)
        })
        .await
    }
}

/// Returns the text behind `mark` up to the next tag.
fn text<'a>(dom: &'a str, mark: &str) -> Result<&'a str> {
    let (_, rest) = dom.split_once(mark).with_context(|| format!("no {mark} in {dom}"))?;
    Ok(rest.split('<').next().unwrap_or_default())
}

/// Returns the figure `key` of the page.
fn figure<'a>(dom: &'a str, key: &str) -> Result<&'a str> {
    text(dom, &format!("<dd data-figure=\"{key}\">"))
}

/// Returns how many points the plot of the figure `key` has.
fn points(dom: &str, key: &str) -> Result<usize> {
    let (_, plot) = dom.split_once(&format!("data-plot=\"{key}\"")).with_context(|| format!("no plot of {key}"))?;
    let (_, line) = plot.split_once("class=\"line\" d=\"").context("no line")?;
    Ok(line.split('"').next().unwrap_or_default().matches(',').count())
}

/// Returns the value of the figure `key` in the JSON.
fn value(status: &Value, key: &str) -> f64 {
    let all = status["figures"].as_array().into_iter().flatten();
    all.filter(|figure| figure["key"] == key).find_map(|figure| figure["value"].as_f64()).unwrap_or(f64::NAN)
}

/// Opens both pages while events arrive.
async fn pages_under_load(scene: &Scene) -> Result<()> {
    let (of_receiver, of_indexer) = (scene.receiver.admin_url(), scene.indexer.admin_url());
    let positive = |keys: &'static [&str]| move |status: &Value| keys.iter().all(|key| value(status, key) > 0.0);
    scene.status("the receiver has figures", of_receiver, positive(&["events", "answered_within"])).await?;
    scene.status("the indexer has figures", of_indexer, positive(&["indexed", "dead_letters"])).await?;

    let page = scene.open(of_receiver, DESKTOP, "receiver").await?;
    assert_eq!(text(&page.dom, "<title>")?, "Penstock receiver: ready");
    assert!(figure(&page.dom, "events")?.ends_with("/s"), "{}", page.dom);
    assert!(figure(&page.dom, "answered_within")?.ends_with('s'), "{}", page.dom);
    assert!(points(&page.dom, "events")? >= 1, "{}", page.dom);
    assert_ne!(text(&page.dom, "<td data-name=\"events since start\">")?, "0");
    assert!(!page.dom.contains(&scene.pipeline.token), "the token is on the page");

    let page = scene.open(of_indexer, LATER, "indexer").await?;
    assert_eq!(text(&page.dom, "<title>")?, "Penstock indexer: ready");
    assert_ne!(figure(&page.dom, "indexed")?, "–");
    assert_eq!(figure(&page.dom, "partitions")?, "4");
    assert!(points(&page.dom, "lag")? >= 2, "{}", page.dom);
    assert_eq!(text(&page.dom, "<td data-name=\"breaker\">")?, "closed");
    let renewed: u32 = page.dom.split_once("data-renewed=\"").context("the page was not renewed")?.1[..1].parse()?;
    assert!(renewed >= 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_show_figures_plots_and_blocks_with_their_reasons() -> Result<()> {
    let scene = Scene::new().await?;
    let (of_receiver, of_indexer) = (scene.receiver.admin_url(), scene.indexer.admin_url());
    let (accepted, ()) = scene.under_load(pages_under_load(&scene)).await?;
    let count = |status: &Value| status["parts"].to_string().contains(&format!(r#""value":{accepted}.0"#));
    scene.status("the receiver has counted the events", of_receiver, count).await?;

    // The page is complete as the server sends it, for browsers without scripts.
    let sent = http::get(&format!("{of_indexer}/")).await?.text();
    assert!(points(&sent, "lag")? >= 2 && figure(&sent, "partitions")? == "4", "{sent}");

    scene.set("index.blocks.write", json!(true)).await?;
    scene.send(200).await?;
    scene
        .status("the indexer is blocked", of_indexer, |status| {
            // The cells are as old as the last sample.
            status["ready"] == false && status["parts"].to_string().contains("index_block")
        })
        .await?;
    let page = scene.open(of_indexer, DESKTOP, "indexer-blocked").await?;
    assert_eq!(text(&page.dom, "<title>")?, "Penstock indexer: not ready");
    assert!(page.dom.contains("blocked by: [FORBIDDEN/8/index write (api)]"), "{}", page.dom);
    assert_eq!(text(&page.dom, "<td data-name=\"blocked by\">")?, "index_block");
    let errors = page.dom.split_once("<section id=\"errors\">").context("no errors")?.1;
    assert!(errors.contains("Elasticsearch accepts no documents"), "{errors}");
    scene.set("index.blocks.write", json!(false)).await?;
    scene.status("the indexer goes on", of_indexer, |status| status["ready"] == true).await?;
    scene.indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_stays_text_and_the_pages_fit_a_phone() -> Result<()> {
    let scene = Scene::new().await?;
    let (of_receiver, of_indexer) = (scene.receiver.admin_url(), scene.indexer.admin_url());
    scene.send(100).await?;
    // Elasticsearch reports that there is no such pipeline, and quotes its name.
    scene.set("index.default_pipeline", json!(HOSTILE)).await?;
    scene.send(100).await?;
    let quoted = |status: &Value| status["conditions"].to_string().contains("<script>");
    scene.status("the indexer says why it is blocked", of_indexer, quoted).await?;
    let quoted = |status: &Value| status["errors"].to_string().contains("<script>");
    scene.status("the log says so too", of_indexer, quoted).await?;

    let page = scene.open(of_indexer, LATER, "indexer-hostile").await?;
    assert_eq!(text(&page.dom, "<title>")?, "Penstock indexer: not ready");
    assert!(page.dom.contains("&lt;script&gt;document.title='taken'"), "{}", page.dom);
    for (name, admin_url) in [("indexer-narrow", of_indexer), ("receiver-narrow", of_receiver)] {
        let page = scene.open_narrow(admin_url, name).await?;
        let measured = |mark: &str| text(&page.dom, mark).map(|rest| rest.split('"').next().unwrap_or_default());
        assert_eq!(measured("data-wide=\"")?, "360", "{name} is wider than a phone");
        assert!(measured("data-smallest=\"")?.parse::<f64>()? >= 13.0, "{name} has letters that nobody can read");
        assert!(measured("data-title=\"")?.starts_with("Penstock "), "{name}: a text of others was run");
    }
    scene.set("index.default_pipeline", Value::Null).await?;
    scene.status("the indexer goes on", of_indexer, |status| status["ready"] == true).await?;
    scene.indexer.stop().await
}
