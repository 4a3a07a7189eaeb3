//! What a connection holds of what its client has sent, until more arrives: an incomplete head, above all.
//!
//! Over HTTP/1, bytes are held from the last answer until the head is whole. Over HTTP/2 that does not hold: the
//! receiver writes at any time, its settings for example, and a head may arrive while other requests are answered. So
//! there the [`frames`] tell what is incomplete.

use frames::Frames;

mod frames;

/// What a client of HTTP/2 sends first (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The bytes held by one connection.
#[derive(Debug)]
pub(super) enum Held {
    /// So many bytes have arrived, and they are those of the preface of HTTP/2 so far.
    Preface(usize),
    /// HTTP/1: the bytes since the last answer.
    Bytes(usize),
    /// HTTP/2.
    Frames(Frames),
}

impl Held {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self::Preface(0)
    }

    /// Notes that `bytes` have arrived. Returns how many bytes are held now; `is_answering` says whether a request is
    /// being answered.
    pub(super) fn arrived(&mut self, bytes: &[u8], is_answering: bool) -> usize {
        match self {
            Self::Preface(seen) => {
                let wanted = PREFACE.get(*seen..).unwrap_or_default();
                let (begin, rest) = bytes.split_at_checked(wanted.len()).unwrap_or((bytes, &[]));
                if !wanted.starts_with(begin) {
                    *self = Self::Bytes(*seen);
                    return self.arrived(bytes, is_answering);
                }
                *seen += begin.len();
                if *seen == PREFACE.len() {
                    *self = Self::Frames(Frames::default());
                    return self.arrived(rest, is_answering);
                }
                *seen
            }
            Self::Bytes(held) => {
                *held = if is_answering { 0 } else { held.saturating_add(bytes.len()) };
                *held
            }
            Self::Frames(frames) => {
                frames.arrived(bytes);
                // A buffer that grows takes up to twice its contents. A frame of another kind belongs to a request that
                // is being answered, or is refused once it is whole.
                2 * frames.of_head() + if is_answering { 0 } else { frames.of_others() }
            }
        }
    }

    /// Notes that something is written. Returns whether nothing is held now: over HTTP/1 it is an answer.
    pub(super) fn written(&mut self) -> bool {
        match self {
            Self::Bytes(held) => {
                *held = 0;
                true
            }
            Self::Preface(_) | Self::Frames(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;
