//! Writes the files with results.

use std::path::Path;

use anyhow::Context;

/// Writes `text` to the file at `path`, and creates its folder if necessary.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
