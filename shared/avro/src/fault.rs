//! A failure on its way up from the failing byte. Each record, array and map adds its own segment to the path, so that
//! paths cost nothing as long as nothing fails.

use super::error::{DecodeError, DecodeErrorKind};

/// A failure on its way up. Boxed, so that results on the hot path are one pointer wide.
pub(super) type DecodeFailure = Box<Fault>;

/// Collects the parts of a [`DecodeError`].
#[derive(Debug)]
pub(super) struct Fault {
    kind: DecodeErrorKind,
    offset: usize,
    /// The segments of the path, innermost first.
    segments: Vec<Segment>,
    is_discreet: bool,
}

#[derive(Debug)]
enum Segment {
    Field(String),
    Item(u64),
    Key(String),
}

/// The most characters of a map key that a path shows.
const KEY_SHOWN: usize = 64;

impl Fault {
    #[cold]
    pub(super) fn new(kind: DecodeErrorKind, offset: usize) -> DecodeFailure {
        Box::new(Self { kind, offset, segments: Vec::new(), is_discreet: false })
    }

    #[cold]
    pub(super) fn in_field(mut self: Box<Self>, name: &str) -> DecodeFailure {
        self.segments.push(Segment::Field(name.to_owned()));
        self
    }

    #[cold]
    pub(super) fn in_item(mut self: Box<Self>, index: u64) -> DecodeFailure {
        self.segments.push(Segment::Item(index));
        self
    }

    #[cold]
    pub(super) fn in_entry(mut self: Box<Self>, key: &[u8]) -> DecodeFailure {
        let key = String::from_utf8_lossy(key).chars().take(KEY_SHOWN).collect();
        self.segments.push(Segment::Key(key));
        self
    }

    /// Hides the contents of the datum. A key may be a value that a rule hides, and so may any number if bytes are read
    /// with the wrong schema.
    #[cold]
    pub(super) fn discreet(mut self: Box<Self>) -> DecodeFailure {
        self.is_discreet = true;
        self
    }
}

impl From<DecodeFailure> for DecodeError {
    #[cold]
    fn from(fault: DecodeFailure) -> Self {
        let mut path = String::new();
        for segment in fault.segments.iter().rev() {
            let part = match segment {
                Segment::Field(name) if path.is_empty() => name.clone(),
                Segment::Field(name) => format!(".{name}"),
                Segment::Item(index) => format!("[{index}]"),
                Segment::Key(_) if fault.is_discreet => "[*]".to_owned(),
                Segment::Key(key) => format!("[{key:?}]"),
            };
            path.push_str(&part);
        }
        Self { kind: fault.kind, offset: fault.offset, path, is_discreet: fault.is_discreet }
    }
}
