//! The locations of the repository and of cargo's output.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// Returns the root of the repository.
pub fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// Returns the path of a file in the repository, given from its root.
pub fn in_repository(path: &str) -> PathBuf {
    repository().join(path)
}

/// Returns the folder of the current build, such as `target/debug`, which contains the binaries of the same profile.
///
/// # Errors
/// If the system cannot name the file of this program.
pub fn profile() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("the path of this program")?;
    let folder = program.parent().context("this program has no folder")?;
    // A test is in deps/, and a binary next to it.
    let in_deps = folder.file_name().is_some_and(|name| name == "deps");
    Ok(if in_deps { folder.parent().unwrap_or(folder) } else { folder }.to_owned())
}

/// Returns a folder for temporary files of tests, such as `target/tmp`.
///
/// # Errors
/// If it cannot be created.
pub fn scratch() -> anyhow::Result<PathBuf> {
    let profile = profile()?;
    let scratch = profile.parent().unwrap_or(&profile).join("tmp");
    std::fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    Ok(scratch)
}
