//! The page for people. The server sends it complete, and it works without scripts. Its script only applies later
//! changes.
//!
//! All dynamic content is escaped (maud does so), and the policy allows only the page's own style and script, since
//! texts on the page quote servers and events.

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::document::{Cell, Condition, Document, Figure, History, LogLine};
use super::history::SAMPLES;
use super::layout::{Layout, Node, Role};
use super::plot::{self, plot};
use super::text;
use crate::readiness::Standing;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The value of `Content-Security-Policy` for the page.
pub static SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
});

/// Shows a state by shape, word and colour.
#[derive(Clone, Copy)]
struct Mark {
    class: &'static str,
    shape: &'static str,
    word: &'static str,
}

/// Returns the page of the service that `layout` describes.
pub(super) fn page(layout: &Layout, document: &Document, history: &History) -> String {
    let service = layout.service;
    let head = head(document);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Penstock " (service) ": " (overall(document).word) }
                noscript { meta http-equiv="refresh" content="10"; }
                style { (PreEscaped(STYLE)) }
            }
            body {
                p #stale hidden role="status" {}
                main {
                    (head)
                    (why(&document.conditions))
                    section #flow { h2 { "Flow" } ol { @for node in layout.nodes { li { (boxes(node, document)) } } } }
                    (plots(layout, document, history))
                    (parts(layout, document))
                    (errors(&document.errors))
                }
                footer.quiet {
                    a href="metrics" { "metrics" } a href="readyz" { "readyz" } a href="status.json" { "status.json" }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn head(document: &Document) -> Markup {
    let unmet = document.conditions.iter().filter(|condition| condition.state == Standing::Unmet);
    let names: Vec<&str> = unmet.map(|condition| condition.name.as_str()).collect();
    let mark = overall(document);
    let at = document.at.replace('T', " ").replace('Z', " UTC");
    let uptime = humantime::format_duration(Duration::from_secs(document.uptime_seconds));
    html! {
        header #head class=(mark.class) {
            h1 { "Penstock " (document.service) " " small { (document.version) } }
            p { (mark) @if !names.is_empty() { ": " (names.join(", ")) } }
            p.quiet { (at) ", running for " (uptime.to_string()) }
        }
    }
}

/// Returns the conditions: first those with a problem, each with its reason, then the rest on one line.
fn why(conditions: &[Condition]) -> Markup {
    let (met, odd): (Vec<&Condition>, Vec<&Condition>) =
        conditions.iter().partition(|condition| condition.state == Standing::Met);
    html! {
        section #why {
            h2 { "Conditions" }
            ul {
                @for condition in odd {
                    @let mark = Mark::of(condition.state);
                    li class=(mark.class) {
                        p { (mark) " " b { (condition.name) } span.quiet { " for " (condition.lasts()) } }
                        p { (condition.text) }
                    }
                }
                @if !met.is_empty() {
                    li.ok {
                        (Mark::of(Standing::Met)) " "
                        @for (number, condition) in met.iter().enumerate() {
                            @if number > 0 { ", " }
                            (condition.name)
                        }
                    }
                }
            }
        }
    }
}

/// Returns the box of `node`, and the boxes beside it.
fn boxes(node: &Node, document: &Document) -> Markup {
    html! {
        (one_box(node, document, ""))
        @for beside in node.beside { (one_box(beside, document, " beside")) }
    }
}

fn one_box(node: &Node, document: &Document, place: &str) -> Markup {
    let (role, note) = match node.role {
        Role::Here => (" here", "this service"),
        Role::Seen => ("", ""),
        Role::Elsewhere(note) => (" elsewhere", note),
    };
    let mark = state(node, &document.conditions).map(Mark::of);
    let class = format!("box{role}{place} {}", mark.map_or("", |mark| mark.class));
    let figures = document.figures.iter().filter(|figure| figure.node == node.name);
    html! {
        div class=(class.trim_end()) {
            h3 { (node.name) }
            @if !note.is_empty() { p.quiet { (note) } }
            @if let Some(mark) = mark { p { (mark) } }
            dl { @for figure in figures { (self::figure(figure)) } }
        }
    }
}

fn figure(figure: &Figure) -> Markup {
    html! { div { dt { (figure.label) } dd data-figure=(figure.key) { (figure.to_string()) } } }
}

/// Returns the state of the worst condition of `node`, or `None` if it has no conditions.
fn state(node: &Node, conditions: &[Condition]) -> Option<Standing> {
    let is_of = |condition: &Condition, name: &str| {
        let rest = condition.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" of "))
    };
    let own = conditions.iter().filter(|condition| node.conditions.iter().any(|name| is_of(condition, name)));
    own.map(|condition| condition.state).max()
}

fn plots(layout: &Layout, document: &Document, history: &History) -> Markup {
    let drawn = layout.figures().filter_map(|(_, figure)| Some((figure, figure.plot?)));
    html! {
        section #plots {
            h2 { "The last 15 minutes" }
            div.plots {
                @for (figure, title) in drawn {
                    @let now = document.figures.iter().find(|known| known.key == figure.key);
                    @let samples = history.samples.get(figure.key).map(Vec::as_slice).unwrap_or_default();
                    @let plot = plot(samples, SAMPLES);
                    @let now = text::value(now.and_then(|now| now.value), figure.unit);
                    @let highest = text::value(plot.highest, figure.unit);
                    figure data-plot=(figure.key) {
                        figcaption { span { (title) } b { (now) } }
                        svg viewBox={ "0 0 " (SAMPLES - 1) " " (plot::HEIGHT) } preserveAspectRatio="none" role="img"
                            aria-label={ (title) ": now " (now) ", highest " (highest) } {
                            path.area d=(plot.area) {}
                            path.line d=(plot.line) {}
                        }
                        div.axis.quiet { span { "15 min ago" } span { "highest " (highest) } span { "now" } }
                    }
                }
            }
        }
    }
}

fn parts(layout: &Layout, document: &Document) -> Markup {
    let parts = &layout.parts;
    html! {
        section #parts {
            h2 { (parts.title) }
            table {
                thead { tr { th { (parts.label) } @for column in parts.columns { th { (column.name) } } } }
                tbody {
                    @for (name, cells) in &document.parts {
                        tr {
                            td data-name=(parts.label) { (name) }
                            @for column in parts.columns {
                                @let cell = cells.get(column.name).map_or_else(dash, Cell::to_string);
                                td data-name=(column.name) { (cell) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn dash() -> String {
    "–".to_owned()
}

fn errors(lines: &[LogLine]) -> Markup {
    html! {
        section #errors {
            h2 { "Last warnings and errors" }
            @if lines.is_empty() { p.quiet { "None." } }
            ol {
                @for line in lines {
                    @let mark = Mark::of_level(&line.level);
                    li class=(mark.class) {
                        (mark) " " span.quiet {
                            (line.at) @if line.times > 1 { ", " (line.times) " times" }
                        }
                        p { (line.text) }
                    }
                }
            }
        }
    }
}

fn overall(document: &Document) -> Mark {
    let worst = document.conditions.iter().map(|condition| condition.state).max();
    Mark::of(if document.ready { worst.unwrap_or(Standing::Unmet) } else { Standing::Unmet })
}

impl Mark {
    fn of(standing: Standing) -> Self {
        match standing {
            Standing::Met => Self { class: "ok", shape: "●", word: "ready" },
            Standing::MetBut => Self { class: "warn", shape: "▲", word: "ready, with a remark" },
            Standing::Unmet => Self { class: "bad", shape: "■", word: "not ready" },
        }
    }

    fn of_level(level: &str) -> Self {
        match level {
            "ERROR" => Self { class: "bad", shape: "■", word: "error" },
            _ => Self { class: "warn", shape: "▲", word: "warning" },
        }
    }
}

impl maud::Render for Mark {
    fn render(&self) -> Markup {
        html! { span.mark { (self.shape) " " (self.word) } }
    }
}
