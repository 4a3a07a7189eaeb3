use std::io::Write;

use super::*;
use crate::body_budget::MemoryBudget;

const TEXT: &[u8] =
    b"the pipe that carries water under pressure from a reservoir to the turbine, the pipe that carries water";

const ALL: [Format; 7] =
    [Format::Gzip, Format::Zlib, Format::Deflate, Format::Zstd, Format::Snappy, Format::Bzip2, Format::Xz];

fn compress(format: Format, bytes: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::best();
    match format {
        Format::Gzip => written(flate2::write::GzEncoder::new(Vec::new(), level), bytes, |encoder| encoder.finish()),
        Format::Zlib => written(flate2::write::ZlibEncoder::new(Vec::new(), level), bytes, |encoder| encoder.finish()),
        Format::Deflate => {
            written(flate2::write::DeflateEncoder::new(Vec::new(), level), bytes, |encoder| encoder.finish())
        }
        Format::Zstd => zstd::stream::encode_all(bytes, 3).unwrap(),
        Format::Snappy => {
            let block = snap::raw::Encoder::new().compress_vec(bytes).unwrap();
            [block, crc32fast::hash(bytes).to_be_bytes().to_vec()].concat()
        }
        Format::Bzip2 => {
            written(bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best()), bytes, |encoder| {
                encoder.finish()
            })
        }
        Format::Xz => written(liblzma::write::XzEncoder::new(Vec::new(), 9), bytes, |encoder| encoder.finish()),
    }
}

fn written<W: Write>(mut encoder: W, bytes: &[u8], finish: impl FnOnce(W) -> std::io::Result<Vec<u8>>) -> Vec<u8> {
    encoder.write_all(bytes).unwrap();
    finish(encoder).unwrap()
}

fn decompressed(format: Format, input: &[u8], limit: usize) -> Result<Vec<u8>, DecompressError> {
    let mut out = b"before".to_vec();
    decompress(format, input, limit, &mut out, &mut MemoryBudget::new(usize::MAX).hold())?;
    Ok(out.strip_prefix(b"before").unwrap().to_vec())
}

#[test]
fn each_format_decompresses_up_to_the_limit_and_not_beyond() {
    for format in ALL {
        for bytes in [b"".as_slice(), b"a", TEXT, &TEXT.repeat(1_000)] {
            let input = compress(format, bytes);
            assert_eq!(decompressed(format, &input, bytes.len()).as_deref(), Ok(bytes), "{format:?}");
            if let Some(less) = bytes.len().checked_sub(1) {
                assert_eq!(decompressed(format, &input, less), Err(DecompressError::TooLarge(less)), "{format:?}");
            }
        }
    }
}

#[test]
fn compressed_data_cut_off_anywhere_is_refused() {
    for format in ALL {
        let input = compress(format, TEXT);
        for len in 0..input.len() {
            assert!(decompressed(format, &input[..len], 1_000).is_err(), "{format:?} cut off at {len}");
        }
    }
}

#[test]
fn bytes_after_the_end_of_compressed_data_are_refused() {
    for format in ALL.into_iter().filter(|format| *format != Format::Deflate) {
        let input = [compress(format, TEXT), b"!".to_vec()].concat();
        assert_eq!(decompressed(format, &input, 1_000), Err(DecompressError::Broken(format)), "{format:?}");
    }
}

/// Python's Avro and fastavro write blocks as `zlib.compress(data)[2:-1]`.
#[test]
fn a_part_of_a_checksum_may_follow_the_deflate_of_avro() {
    let zlib = compress(Format::Zlib, TEXT);
    for left in 0..=4 {
        let input = &zlib[2..zlib.len() - left];
        assert_eq!(decompressed(Format::Deflate, input, TEXT.len()).as_deref(), Ok(TEXT));
    }
}

#[test]
fn gzip_and_zstd_may_have_several_parts() {
    for format in [Format::Gzip, Format::Zstd] {
        let input = [compress(format, b"one "), compress(format, b"two")].concat();
        assert_eq!(decompressed(format, &input, 7).as_deref(), Ok(b"one two".as_slice()));
        assert_eq!(decompressed(format, &input, 6), Err(DecompressError::TooLarge(6)));
    }
}

#[test]
fn zeros_after_the_last_member_of_gzip_are_padding() {
    let member = compress(Format::Gzip, TEXT);
    for zeros in [1, 7, 10, 512] {
        let padding = vec![0; zeros];
        let padded = [member.as_slice(), &padding].concat();
        assert_eq!(decompressed(Format::Gzip, &padded, TEXT.len()).as_deref(), Ok(TEXT), "{zeros}");
        for after in [b"!".as_slice(), &member] {
            let more = [padded.as_slice(), after].concat();
            assert_eq!(decompressed(Format::Gzip, &more, 1_000), Err(DecompressError::Broken(Format::Gzip)), "{zeros}");
        }
    }
}

#[test]
fn deflate_without_a_zlib_header_is_accepted() {
    assert_eq!(decompressed(Format::Zlib, &compress(Format::Deflate, TEXT), 1_000).as_deref(), Ok(TEXT));
}

/// The flags of a zlib header make its first two bytes a multiple of 31.
#[test]
fn a_zlib_header_has_the_right_method_and_check_bits() {
    for head in [[0x78, 0x01], [0x78, 0x9c], [0x78, 0xda], [0x08, 0x1d]] {
        assert!(has_zlib_head(&head), "{head:x?}");
    }
    for head in [[0x78, 0x00], [0x79, 0x18]] {
        assert!(!has_zlib_head(&head), "{head:x?}");
    }
    assert!(!has_zlib_head(&[0x78]));
}

#[test]
fn a_snappy_block_with_a_wrong_checksum_is_refused() {
    let mut input = compress(Format::Snappy, TEXT);
    *input.last_mut().unwrap() ^= 1;
    assert_eq!(decompressed(Format::Snappy, &input, 1_000), Err(DecompressError::Broken(Format::Snappy)));
}

#[test]
fn bytes_of_another_format_are_refused() {
    for format in ALL {
        for input in [b"nothing of the kind".as_slice(), &[0; 64], &[0xff; 64]] {
            assert!(decompressed(format, input, 1_000).is_err(), "{format:?}");
        }
    }
}

#[test]
fn a_snappy_block_with_an_impossible_length_allocates_nothing() {
    // A length of 1,000,000 in four bytes.
    let input = [0xc0, 0x84, 0x3d, 0, 0, 0, 0, 0];
    let mut out = Vec::new();
    let mut budget = MemoryBudget::new(usize::MAX).hold();
    assert_eq!(
        decompress(Format::Snappy, &input, 2_000_000, &mut out, &mut budget),
        Err(DecompressError::Broken(Format::Snappy))
    );
    assert_eq!(out.capacity(), 0);
}

/// As Java's codec of Avro and `zstd --ultra` write them: at level 22 a window of 128 MiB, whatever the content.
#[test]
fn a_large_zstd_window_takes_no_more_memory_than_the_content() {
    let of_window = |log: u32| {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        // Without a known size, so that the window is not made smaller.
        written(encoder, TEXT, |encoder| encoder.finish())
    };
    for log in [23, 24, 27] {
        let input = of_window(log);
        let all = MemoryBudget::new(512 * 1024);
        let mut out = Vec::new();
        decompress(Format::Zstd, &input, 1 << 20, &mut out, &mut all.hold()).unwrap();
        assert_eq!(out, TEXT, "{log}");
    }
    let mut larger = of_window(27);
    // The exponent of the window (RFC 8878, section 3.1.1.1.2), one more.
    assert_eq!(larger[5], (27 - 10) << 3);
    larger[5] = (28 - 10) << 3;
    assert_eq!(decompressed(Format::Zstd, &larger, 1 << 30), Err(DecompressError::Broken(Format::Zstd)));
}

#[test]
fn decompression_counts_its_memory_and_stays_in_the_budget() {
    let input = vec![7; 3 << 20];
    for format in ALL {
        let all = MemoryBudget::new(64 << 20);
        let (mut budget, mut out) = (all.hold(), Vec::new());
        decompress(format, &compress(format, &input), 4 << 20, &mut out, &mut budget).unwrap();
        assert_eq!((out.len(), all.bytes()), (3 << 20, out.capacity()), "{format:?}");
        assert!(out.capacity() <= (4 << 20) + 1, "{format:?}: {}", out.capacity());
        let small = MemoryBudget::new(1 << 20);
        let mut out = Vec::new();
        let result = decompress(format, &compress(format, &input), 4 << 20, &mut out, &mut small.hold());
        assert!(matches!(result, Err(DecompressError::BudgetExceeded(_))), "{format:?}: {result:?}");
        assert!(out.capacity() <= 1 << 20, "{format:?}: {}", out.capacity());
    }
}

/// To set a decoder up takes longer than to read a small block.
#[test]
fn one_decoder_of_zstandard_serves_all_blocks() {
    let all = MemoryBudget::new(64 << 20);
    let (mut budget, mut decompressor) = (all.hold(), Decompressor::default());
    let mut read = |text: &[u8], budget: &mut BodyBudget| {
        let (mut out, input) = (Vec::new(), zstd::bulk::compress(text, 3).unwrap());
        decompressor.decompress(Format::Zstd, &input, 1 << 20, &mut out, budget).unwrap();
        assert_eq!(out, text);
        budget.shrink(out.capacity());
        decompressor.zstd.as_ref().map(DCtx::sizeof)
    };
    let with_window = read(&TEXT.repeat(1_000), &mut budget);
    let counted = budget.bytes();
    assert_eq!(read(TEXT, &mut budget), with_window, "a new one would be smaller, with a small window");
    assert!(counted > 0 && budget.bytes() == counted, "what it keeps stays counted");
    decompressor.release(&mut budget);
    assert_eq!(budget.bytes(), 0);
}
