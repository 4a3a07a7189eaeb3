//! A hash of the document of a datum, to compare the documents by two schemas without holding either.

use sha2::{Digest, Sha256};

use super::json::{JsonRules, JsonSink};
use super::node::Symbol;
use super::sink::{Scalar, Sink};
use super::text::{self, Escapes, Stored, Text, pieces};

/// The bytes of a value that are converted to JSON at a time. A multiple of three, so that pieces of base64 fit
/// together.
const PIECE: usize = 3 * 1024;

/// Hashes the JSON that a walk writes. Buffers at most a few times [`PIECE`].
#[derive(Default)]
pub(super) struct DigestSink {
    hash: Sha256,
    piece: Vec<u8>,
}

impl DigestSink {
    /// Returns the hash of everything that the walk has written.
    pub(super) fn finish(self) -> [u8; 32] {
        self.hash.finalize().into()
    }

    /// Hashes the output of `write`.
    fn write(&mut self, write: impl FnOnce(&mut JsonSink<'_>)) {
        self.piece.clear();
        write(&mut JsonSink::new(&mut self.piece, JsonRules::default()));
        self.hash.update(&self.piece);
    }

    /// Hashes one JSON string made of these scalars, each of which would be written as its own string.
    fn string<'p>(&mut self, scalars: impl Iterator<Item = Scalar<'p>>) {
        self.hash.update(b"\"");
        for scalar in scalars {
            self.piece.clear();
            JsonSink::new(&mut self.piece, JsonRules::default()).scalar(scalar);
            let inside = self.piece.get(1..self.piece.len().saturating_sub(1));
            self.hash.update(inside.unwrap_or_default());
        }
        self.hash.update(b"\"");
    }
}

impl<'a> Sink<'a> for DigestSink {
    fn raw(&mut self, json: &[u8]) {
        self.hash.update(json);
    }

    fn scalar(&mut self, value: Scalar<'a>) {
        match value {
            Scalar::Bytes(bytes) => self.string(bytes.chunks(PIECE).map(Scalar::Bytes)),
            Scalar::Text(text) | Scalar::UuidText(text) => {
                let escapes = text.escapes;
                self.string(pieces(text.bytes, PIECE).map(|bytes| Scalar::Text(Text { bytes, escapes })));
            }
            other => self.write(|sink| sink.scalar(other)),
        }
    }

    fn symbol(&mut self, symbol: &Symbol) {
        self.hash.update(&symbol.json);
    }

    fn key(&mut self, key: Stored<'a>) -> Result<Escapes, usize> {
        let key = text::check(key.bytes)?;
        self.scalar(Scalar::Text(key));
        self.hash.update(b":");
        Ok(key.escapes)
    }
}
