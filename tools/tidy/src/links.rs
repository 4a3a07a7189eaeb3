//! Links in documents lead to existing targets.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use crate::files::{self, TextFile};

/// Returns the targets of the links in `text`, a Markdown document: `[words](target)`. Skips code.
fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        let mut rest = line.as_str();
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            if let Some(end) = rest.find(')') {
                found.push(rest[..end].to_owned());
                rest = &rest[end..];
            }
        }
    }
    found
}

/// Returns the lines of `text` outside code blocks, without text in backquotes.
fn prose(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push(line.split('`').step_by(2).collect::<Vec<_>>().join("`"));
        }
    }
    lines
}

/// Returns the anchors of the headings in `text`, in GitHub's form: lowercase, dashes for spaces, no other punctuation,
/// and `-1` and so on for repeated headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let title = line.trim_start_matches('#');
        if fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let anchor: String = title
            .trim()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
            .collect();
        let again = (1..).map(|number| format!("{anchor}-{number}")).find(|again| !anchors.contains(again));
        let name = if anchors.contains(&anchor) { again.unwrap_or_default() } else { anchor };
        anchors.insert(name);
    }
    anchors
}

/// Returns `path` without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// Returns the problem with `target`, a link in the document `file`, if it has one.
fn wrong(file: &TextFile, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let place = match path {
        "" => file.path.clone(),
        path => normal(&file.path.parent().unwrap_or(Path::new("")).join(path)),
    };
    let full = files::repository().join(&place);
    if !full.exists() {
        return Some(format!("{}: {target}: there is no {}", file.path.display(), place.display()));
    }
    let anchor = anchor.filter(|_| place.extension().is_some_and(|it| it == "md"))?;
    let text = std::fs::read_to_string(full).unwrap_or_default();
    let missing = !anchors(&text).contains(anchor);
    missing.then(|| format!("{}: {target}: {} has no such heading", file.path.display(), place.display()))
}

#[test]
fn every_link_in_a_document_leads_to_an_existing_target() -> Result<()> {
    let documents = files::below("", "md")?;
    assert!(documents.len() > 10, "the documents were not found");
    let complaints: Vec<String> = documents
        .iter()
        .flat_map(|file| targets(&file.text).into_iter().filter_map(move |target| wrong(file, &target)))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

/// Checks paths of sources and documents in backquotes, given from the root of the repository.
#[test]
fn every_path_in_a_document_exists() -> Result<()> {
    let roots = ["deploy/", "docs/", "indexer/", "receiver/", "shared/", "tests/", "tools/"];
    let mut complaints = Vec::new();
    for file in files::below("", "md")?.iter().filter(|file| !file.path.ends_with("CHANGELOG.md")) {
        for name in file.text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
            let is_path = roots.iter().any(|root| name.starts_with(root))
                && name.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
            if is_path && !files::repository().join(name).exists() {
                complaints.push(format!("{}: there is no {name}", file.path.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

#[test]
fn headings_become_anchors() {
    let text = "# The promises\n## P1: a 2xx\n## P1: a 2xx\n```\n# none\n```\n### `code_x` and more\n";
    assert_eq!(
        anchors(text).into_iter().collect::<Vec<_>>(),
        ["code_x-and-more", "p1-a-2xx", "p1-a-2xx-1", "the-promises"]
    );
    assert_eq!(targets("see [a](b.md#c) and `[no](x)` and [d](e)\n```\n[f](g)\n```"), ["b.md#c", "e"]);
}
