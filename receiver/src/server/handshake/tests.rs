use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[tokio::test]
async fn the_messages_of_a_handshake_are_counted_until_it_is_over() {
    let (near, mut far) = tokio::io::duplex(256 * 1024);
    let all = MemoryBudget::new(40 * 1024);
    let mut stream = Handshake::begin(near, &all);
    let mut piece = vec![0; 4 * 1024];
    far.write_all(&[0; 128 * 1024]).await.unwrap();
    for read in 1..=14 {
        stream.read_exact(&mut piece).await.unwrap();
        assert_eq!(all.bytes(), (read * piece.len()).saturating_sub(FREE), "{read}");
    }
    assert!(stream.read_exact(&mut piece).await.is_err(), "too many long ones at a time");
    stream.end();
    assert_eq!(all.bytes(), 0);
    stream.read_exact(&mut piece).await.unwrap();
    assert_eq!(all.bytes(), 0, "what follows is no handshake");
}
