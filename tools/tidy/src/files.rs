//! The files of the repository that the rules examine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Folders without files of the project.
const FOREIGN: [&str; 3] = ["target", ".git", ".stack"];

/// A file with its text.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// The path from the root of the repository.
    pub path: PathBuf,
    /// The content.
    pub text: String,
}

/// Returns the root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_path_buf).unwrap_or_default()
}

/// Returns the files below `folder`, a path from the root of the repository, whose names end with `extension`, sorted
/// by path.
///
/// # Errors
/// If a folder or a file cannot be read.
pub fn below(folder: &str, extension: &str) -> Result<Vec<TextFile>> {
    let mut found = Vec::new();
    collect(&repository().join(folder), extension, &mut found)?;
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// Returns whether the file at `path` is only for tests.
pub fn is_test(path: &Path) -> bool {
    path.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs" | "fake.rs")))
}

fn collect(folder: &Path, extension: &str, found: &mut Vec<TextFile>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !FOREIGN.contains(&name.as_str()) {
                collect(&path, extension, found)?;
            }
        } else if path.extension().is_some_and(|it| it == extension) {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let path = path.strip_prefix(repository()).unwrap_or(&path).to_path_buf();
            found.push(TextFile { path, text });
        }
    }
    Ok(())
}
