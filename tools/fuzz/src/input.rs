//! An input, and its form in a file: three bytes (content type, content encoding, schema), then the body.

/// The content types to try.
pub(super) const CONTENT_TYPES: [(&str, &str); 5] = [
    ("open", "application/avro"),
    ("confluent", "application/vnd.confluent.avro"),
    ("single", "application/vnd.apache.avro+single-object"),
    ("container", "application/vnd.apache.avro+container"),
    ("other", "application/json"),
];

/// The content encodings to try.
pub(super) const CONTENT_ENCODINGS: [&str; 5] = ["", "gzip", "deflate", "zstd", "br"];

/// A body with its headers, and the schema to read it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The number of the content type.
    pub content_type: u8,
    /// The number of the content encoding.
    pub content_encoding: u8,
    /// The number of the schema.
    pub schema: u8,
    /// The body.
    pub body: Vec<u8>,
}

impl Input {
    /// Decodes the bytes of a file, or returns `None` if there are too few.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let ([content_type, content_encoding, schema], body) = bytes.split_first_chunk()?;
        let (content_type, content_encoding, schema) = (*content_type, *content_encoding, *schema);
        Some(Self { content_type, content_encoding, schema, body: body.to_vec() })
    }

    /// Encodes the input as the bytes of a file.
    pub fn encode(&self) -> Vec<u8> {
        [&[self.content_type, self.content_encoding, self.schema], self.body.as_slice()].concat()
    }

    /// Returns the content type.
    pub fn content_type(&self) -> &'static str {
        CONTENT_TYPES[usize::from(self.content_type) % CONTENT_TYPES.len()].1
    }

    /// Returns a short name for the content type.
    pub fn form_name(&self) -> &'static str {
        CONTENT_TYPES[usize::from(self.content_type) % CONTENT_TYPES.len()].0
    }

    /// Returns the content encoding; empty for none.
    pub fn content_encoding(&self) -> &'static str {
        CONTENT_ENCODINGS[usize::from(self.content_encoding) % CONTENT_ENCODINGS.len()]
    }

    /// Returns a short name for the content encoding.
    pub fn coding_name(&self) -> &'static str {
        match self.content_encoding() {
            "" => "plain",
            name => name,
        }
    }
}
