//! The names of fields as they are written: JSON that a schema determines.

use super::text::{self, Escapes, Text};

/// The JSON before the value of a member that follows another one: `,"name":`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    json: Box<[u8]>,
    /// The JSON again, if it fits: it can be copied in one piece.
    padded: [u8; PADDED + 1],
}

/// The bytes of a member that are copied in one piece.
const PADDED: usize = 32;

impl Member {
    /// Returns the JSON before the member with this name.
    pub(super) fn of(name: &str) -> Self {
        let mut json = vec![b','];
        text::write_json(Text { bytes: name.as_bytes(), escapes: Escapes::Possible }, &mut json);
        json.push(b':');
        let mut padded = [0; PADDED + 1];
        for (to, from) in padded.iter_mut().zip(&json) {
            *to = *from;
        }
        Self { json: json.into(), padded }
    }

    /// Returns the JSON of a member that is omitted.
    pub(super) fn omitted() -> Self {
        Self { json: Box::default(), padded: [0; PADDED + 1] }
    }

    /// Returns the JSON; empty if the member is omitted.
    pub(super) fn json(&self) -> &[u8] {
        &self.json
    }

    /// Appends the JSON, without its comma if the member is the first.
    #[inline]
    pub(super) fn write(&self, is_first: bool, out: &mut Vec<u8>) {
        let comma = usize::from(is_first);
        let json = &self.json[comma..];
        match self.padded[comma..].first_chunk::<PADDED>() {
            Some(padded) if json.len() <= PADDED => {
                let end = out.len() + json.len();
                out.extend_from_slice(padded);
                out.truncate(end);
            }
            _ => out.extend_from_slice(json),
        }
    }
}

#[cfg(test)]
mod tests;
