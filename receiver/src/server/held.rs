//! Counts the bytes that a connection buffers until more of them arrive: above all, an incomplete head.
//!
//! Over HTTP/1, the bytes after the last answer are buffered until the head is complete. This is no measure for HTTP/2:
//! the receiver writes at any time, for example its settings, and a head may arrive while other requests are answered.
//! There, the [`frames`] show what is incomplete.

use frames::Frames;

mod frames;

/// What a client of HTTP/2 sends first (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The bytes that one connection buffers.
#[derive(Debug)]
pub(super) enum Held {
    /// The number of bytes that have arrived, all of which match the preface of HTTP/2.
    Preface(usize),
    /// HTTP/1: the bytes since the last answer.
    Bytes(usize),
    /// HTTP/2.
    Frames(Frames),
}

impl Held {
    /// Creates the state of a connection on which nothing has arrived.
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

    /// Notes that the receiver has written. Returns whether nothing is buffered any more: over HTTP/1, it was an
    /// answer.
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
