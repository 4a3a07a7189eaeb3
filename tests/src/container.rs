//! Builds object container files from encoded datums, so that a test controls every part; apache-avro provides the
//! codecs.

use apache_avro::Codec;

use crate::event::{put_bytes, put_long};

/// The marker after the header and each block.
pub const SYNC: [u8; 16] = *b"sixteen bytes ok";

/// Returns every codec, with the default settings of apache-avro.
pub fn codecs() -> [Codec; 6] {
    [
        Codec::Null,
        Codec::Deflate(apache_avro::DeflateSettings::default()),
        Codec::Snappy,
        Codec::Zstandard(apache_avro::ZstandardSettings::default()),
        Codec::Bzip2(apache_avro::Bzip2Settings::default()),
        Codec::Xz(apache_avro::XzSettings::default()),
    ]
}

/// Returns a file with this schema and these blocks of datums.
///
/// # Errors
/// If the codec fails.
pub fn file(schema: &str, codec: Codec, blocks: &[&[Vec<u8>]]) -> anyhow::Result<Vec<u8>> {
    let mut file = b"Obj\x01".to_vec();
    put_long(&mut file, 2);
    for (key, value) in [("avro.schema", schema), ("avro.codec", codec.into())] {
        put_bytes(&mut file, key.as_bytes());
        put_bytes(&mut file, value.as_bytes());
    }
    put_long(&mut file, 0);
    file.extend_from_slice(&SYNC);
    for datums in blocks {
        let mut data = datums.concat();
        codec.compress(&mut data)?;
        put_long(&mut file, i64::try_from(datums.len())?);
        put_bytes(&mut file, &data);
        file.extend_from_slice(&SYNC);
    }
    Ok(file)
}
