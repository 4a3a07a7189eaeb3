//! A wrong clock for a child process: libfaketime (<https://github.com/wolfcw/libfaketime>, Debian package
//! `libfaketime`) between the program and the C library. Timers are right, because they use the monotonic clock.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The clock of one program, which keeps it when it is restarted. It is right until it is set.
#[derive(Debug)]
pub struct FakeClock {
    library: PathBuf,
    file: PathBuf,
}

impl FakeClock {
    /// Creates a clock that is read from `file`; `None` if libfaketime is not installed.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn new(file: &Path) -> anyhow::Result<Option<Self>> {
        let Some(library) = library() else { return Ok(None) };
        let clock = Self { library, file: file.to_owned() };
        clock.set(0)?;
        Ok(Some(clock))
    }

    /// Returns the environment of the program.
    pub fn environment(&self) -> Vec<(String, String)> {
        let (library, file) = (self.library.to_string_lossy(), self.file.to_string_lossy());
        [
            ("LD_PRELOAD", &*library),
            ("FAKETIME_TIMESTAMP_FILE", &*file),
            // The file is read again after this many seconds.
            ("FAKETIME_CACHE_DURATION", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Sets the clock ahead by this many milliseconds; a negative number sets it behind. A running program notices
    /// within a second.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set(&self, ahead: i64) -> anyhow::Result<()> {
        let new = self.file.with_extension("new");
        let sign = if ahead < 0 { '-' } else { '+' };
        let (seconds, millis) = (ahead.unsigned_abs() / 1_000, ahead.unsigned_abs() % 1_000);
        std::fs::write(&new, format!("{sign}{seconds}.{millis:03}\n"))?;
        std::fs::rename(new, &self.file).with_context(|| self.file.display().to_string())
    }

    /// Removes what libfaketime leaves behind if the process `id` was killed.
    pub fn forget(&self, id: u32) {
        for name in [format!("faketime_shm_{id}"), format!("sem.faketime_sem_{id}")] {
            // They are not there if the process ended by itself.
            std::fs::remove_file(Path::new("/dev/shm").join(name)).ok();
        }
    }
}

/// Returns the library for programs with threads, where Debian, Fedora and a build from source put it.
fn library() -> Option<PathBuf> {
    let debian = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let folders = [debian.as_str(), "/usr/lib64", "/usr/lib", "/usr/local/lib"];
    let libraries = folders.map(|folder| Path::new(folder).join("faketime/libfaketimeMT.so.1"));
    libraries.into_iter().find(|library| library.is_file())
}

#[cfg(test)]
mod tests;
