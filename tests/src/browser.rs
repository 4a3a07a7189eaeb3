//! Chromium without a window: what a page is once it is laid out and its scripts have run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use anyhow::Context;
use tempfile::TempDir;

use crate::eventually::eventually;
use crate::paths;

/// The program, as Debian names it.
const PROGRAM: &str = "chromium";
/// No network but the page's, and no questions.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];
/// Variables by which another program than the page's server would be asked.
const PROXIES: [&str; 6] = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// A page that was opened.
pub struct Page {
    /// Its document as it was at the end, as HTML.
    pub dom: String,
    /// A picture of it.
    pub picture: PathBuf,
}

/// How a page is opened.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Width and height of the window. Chromium lays nothing out in less than 500 pixels: [`narrow`] does.
    pub size: (u32, u32),
    /// Further arguments of Chromium.
    pub arguments: &'a [&'a str],
}

/// Opens `url`; the picture is written to `picture`.
///
/// # Errors
/// When Chromium is missing, fails, or does not end.
pub async fn open(url: &str, view: View<'_>, picture: &Path) -> anyhow::Result<Page> {
    let profile = TempDir::with_prefix_in("chromium-", paths::scratch()?)?;
    let dom = profile.path().join("dom");
    let mut command = Command::new(PROGRAM);
    command
        .args(ARGUMENTS)
        .args(view.arguments)
        .arg(format!("--window-size={},{}", view.size.0, view.size.1))
        .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
        .arg(format!("--screenshot={}", picture.display()))
        .args(["--dump-dom", url])
        .stdin(Stdio::null())
        .stdout(File::create(&dom)?)
        .stderr(File::create(profile.path().join("log"))?);
    for name in PROXIES {
        command.env_remove(name);
    }
    let child = command.spawn().context("chromium cannot be started: is Debian's package `chromium` installed?")?;
    let child = Mutex::new(Killed(child));
    let status = eventually("chromium ends", || async {
        let mut child = child.lock().map_err(|_| anyhow::anyhow!("a panic while waiting"))?;
        child.0.try_wait()?.context("it still runs")
    })
    .await?;
    let log = || std::fs::read_to_string(profile.path().join("log")).unwrap_or_default();
    anyhow::ensure!(status.success(), "chromium: {status}: {}", log());
    let dom = std::fs::read_to_string(&dom)?;
    anyhow::ensure!(picture.exists(), "chromium took no picture of {url}: {}", log());
    Ok(Page { dom, picture: picture.to_owned() })
}

/// Returns a page that holds `html` in a frame of `width` and `height` pixels, and, in attributes of its own body, what
/// the frame's scripts and layout have become: `data-wide` (the width that it needs), `data-smallest` (the smallest
/// letters, in pixels), `data-title`.
pub fn narrow(html: &str, width: u32, height: u32) -> String {
    const MEASURE: &str = "const own = frame.contentDocument, view = frame.contentWindow; \
        const texts = [...own.querySelectorAll('body *')].filter(it => it.textContent.trim() && it.checkVisibility()); \
        const sizes = texts.map(it => parseFloat(view.getComputedStyle(it).fontSize)); \
        Object.assign(document.body.dataset, { wide: own.documentElement.scrollWidth, \
        smallest: Math.min(...sizes), title: own.title });";
    let html = html.replace('&', "&amp;").replace('"', "&quot;");
    format!(
        "<!doctype html><meta charset=utf-8><body style=\"margin:0\"><iframe id=frame style=\"border:0;width:{width}px;\
         height:{height}px\" srcdoc=\"{html}\" onload=\"{MEASURE}\"></iframe>"
    )
}

/// A program that is killed when it is no longer wanted.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to do.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
