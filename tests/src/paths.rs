//! Where things lie: the repository, and what cargo has built.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// Returns the root of the repository.
pub fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// A file of the repository, by its path from the root.
pub fn in_repository(path: &str) -> PathBuf {
    repository().join(path)
}

/// Returns the folder of the build that runs now, such as `target/debug`: where the binaries of the same profile lie.
///
/// # Errors
/// When the system does not say which file this program is.
pub fn profile() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("the path of this program")?;
    let folder = program.parent().context("this program has no folder")?;
    // A test lies in deps/, a binary beside it.
    let in_deps = folder.file_name().is_some_and(|name| name == "deps");
    Ok(if in_deps { folder.parent().unwrap_or(folder) } else { folder }.to_owned())
}

/// A folder for what tests leave while they run, such as `target/tmp`.
///
/// # Errors
/// When it cannot be made.
pub fn scratch() -> anyhow::Result<PathBuf> {
    let profile = profile()?;
    let scratch = profile.parent().unwrap_or(&profile).join("tmp");
    std::fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    Ok(scratch)
}
