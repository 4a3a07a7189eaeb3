//! Schemas in a folder, one small file each. Blocks the thread.
//!
//! Ids belong to one registry, so the name of a file and its contents identify the registry, and files of other
//! registries are never read. A file is replaced as a whole, so a crash leaves the old or the new one. The number of
//! files is bounded: the least recently used one makes room.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::client::Texts;
use crate::wire::SchemaId;

/// The most bytes read from a file; real schemas are far smaller.
const MAX_BYTES: u64 = 16 << 20;
/// The prefix of all file names, including unfinished files. Other files are left alone.
const PREFIX: &str = "schema-";

/// A folder of schemas for one registry.
pub(super) struct Folder {
    path: PathBuf,
    registry: String,
    max_files: usize,
}

/// Identifies a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// The schema with this id.
    Id(SchemaId),
    /// The latest schema of this subject.
    Latest(String),
}

/// The contents of a file.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Contents {
    registry: String,
    /// The subject, if the file is its latest schema.
    subject: Option<String>,
    id: u32,
    #[serde(flatten)]
    texts: Texts,
}

impl Folder {
    /// Creates the folder at `path` for the registry at the addresses `urls`, in any order and without users.
    pub(super) fn new(path: PathBuf, urls: &str, max_files: usize) -> Self {
        let mut addresses: Vec<&str> = urls.split(',').map(str::trim).collect();
        addresses.sort_unstable();
        Self { path, registry: addresses.join(","), max_files }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Creates the folder on disk if it is missing.
    pub(super) fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.path)
    }

    /// Stores a schema under `name`. If it is stored already, only marks it as used.
    pub(super) fn write(&self, name: &Name, id: SchemaId, texts: Texts) -> io::Result<()> {
        let path = self.file(name);
        let subject = name.subject().map(str::to_owned);
        let contents = Contents { registry: self.registry.clone(), subject, id: id.0, texts };
        let bytes = serde_json::to_vec(&contents)?;
        match read_bounded(&path) {
            Ok(old) if old == bytes => {
                return OpenOptions::new().write(true).open(&path)?.set_modified(SystemTime::now());
            }
            Ok(_) => {}
            Err(_) => self.make_room()?,
        }
        let mut file = tempfile::Builder::new().prefix(PREFIX).suffix(".unfinished").tempfile_in(&self.path)?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    }

    /// Returns the schema stored under `name`, or `None` if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read, or does not match its name.
    pub(super) fn read(&self, name: &Name) -> io::Result<Option<(SchemaId, Texts)>> {
        let bytes = match read_bounded(&self.file(name)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let contents: Contents = serde_json::from_slice(&bytes)?;
        let id = SchemaId(contents.id);
        let is_it = match name {
            Name::Id(wanted) => *wanted == id && contents.subject.is_none(),
            Name::Latest(subject) => contents.subject.as_ref() == Some(subject),
        };
        if !is_it || contents.registry != self.registry {
            return Err(io::Error::other("it is not the schema that its name says"));
        }
        Ok(Some((id, contents.texts)))
    }

    /// Removes the schema stored under `name`.
    pub(super) fn remove(&self, name: &Name) -> io::Result<()> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(super) fn file(&self, name: &Name) -> PathBuf {
        let registry = short_hash(&self.registry);
        self.path.join(match name {
            Name::Id(id) => format!("{PREFIX}{registry}-id-{}.json", id.0),
            Name::Latest(subject) => format!("{PREFIX}{registry}-latest-{}.json", short_hash(subject)),
        })
    }

    /// Removes the least recently used files until there is room for one more.
    fn make_room(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
                // Another process, which makes room too, may have removed the file.
                let Ok(metadata) = entry.metadata() else { continue };
                files.push((metadata.modified()?, entry.path()));
            }
        }
        files.sort_unstable();
        let surplus = (files.len() + 1).saturating_sub(self.max_files);
        for (_, path) in files.into_iter().take(surplus) {
            if let Err(error) = fs::remove_file(path)
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Name {
    fn subject(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::Latest(subject) => Some(subject),
        }
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is larger than any schema"));
    }
    Ok(bytes)
}

/// Returns enough of a hash to distinguish the few registries and subjects of one folder. The contents of the file
/// confirm the match.
fn short_hash(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hex::encode(hash.get(..12).unwrap_or(&hash))
}

#[cfg(test)]
mod tests;
