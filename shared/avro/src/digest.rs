//! What a reader gets of a datum, as a hash: to compare what two schemas make of one datum without holding either
//! document.

use sha2::{Digest, Sha256};

use super::json::{JsonRules, JsonSink};
use super::node::Symbol;
use super::sink::{Scalar, Sink};
use super::text::{Text, pieces};

/// How many bytes of a value are made JSON at a time. A multiple of three, so that the pieces of base64 fit together.
const PIECE: usize = 3 * 1024;

/// Hashes the JSON that a walk writes. Holds no more of it than a few times [`PIECE`].
#[derive(Default)]
pub(super) struct DigestSink {
    hash: Sha256,
    piece: Vec<u8>,
}

impl DigestSink {
    /// Returns the hash of all that the walk has written.
    pub(super) fn finish(self) -> [u8; 32] {
        self.hash.finalize().into()
    }

    /// Hashes what `write` writes.
    fn write(&mut self, write: impl FnOnce(&mut JsonSink<'_>)) {
        self.piece.clear();
        write(&mut JsonSink::new(&mut self.piece, JsonRules::default()));
        self.hash.update(&self.piece);
    }

    /// Hashes a JSON string whose pieces are these scalars, each of which is written as a string of its own.
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

    fn key(&mut self, key: Text<'a>) {
        self.scalar(Scalar::Text(key));
        self.hash.update(b":");
    }
}
