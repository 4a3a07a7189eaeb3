//! Runs headless Chromium, to see a page after layout and scripts.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use anyhow::Context;
use tempfile::TempDir;

use crate::eventually::eventually;
use crate::paths;

/// The program's name in Debian.
const PROGRAM: &str = "chromium";
/// Arguments for no prompts, and no network access except to the page.
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
/// Variables that would redirect requests to a proxy instead of the page's server.
const PROXIES: [&str; 6] = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// A page after it was opened.
pub struct Page {
    /// Its final document, as HTML.
    pub dom: String,
    /// A screenshot.
    pub picture: PathBuf,
}

/// How to open a page.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Width and height of the window. Chromium's layout is at least 500 pixels wide; use [`narrow`] for less.
    pub size: (u32, u32),
    /// Additional arguments for Chromium.
    pub arguments: &'a [&'a str],
}

/// Opens `url`, and writes a screenshot to `picture`.
///
/// # Errors
/// If Chromium is missing, fails, or does not end.
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

/// Returns a page that shows `html` in a frame of `width` and `height` pixels. Attributes of its own body report the
/// result in the frame: `data-wide` (the required width), `data-smallest` (the smallest font size, in pixels),
/// `data-title`.
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

/// A program that is killed when dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // The process may have ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
