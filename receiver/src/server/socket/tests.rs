use std::net::IpAddr;

use tokio::io::AsyncWriteExt;

use super::*;

#[tokio::test]
async fn a_read_never_fills_the_buffer_of_a_connection() {
    let (mut sender, stream) = tokio::io::duplex(64 * 1024);
    sender.write_all(&[b'x'; 64 * 1024]).await.unwrap();
    let second = Duration::from_secs(1);
    let limits = Limits { head_timeout: second, write_timeout: second, heads: MemoryBudget::new(1024 * 1024) };
    let mut socket = Socket::new(stream, Client::new(IpAddr::from([127, 0, 0, 1]), None), &limits);
    let mut buffer = [0; 32 * 1024];
    assert_eq!(socket.read(&mut buffer).await.unwrap(), 8 * 1024 - 1);
}

/// The receiver writes its settings and acknowledgements before it answers anything.
#[tokio::test]
async fn half_a_head_over_http2_counts_although_the_receiver_writes() {
    let (mut sender, stream) = tokio::io::duplex(64 * 1024);
    let heads = MemoryBudget::new(1024 * 1024);
    let second = Duration::from_secs(1);
    let limits = Limits { head_timeout: second, write_timeout: second, heads: heads.clone() };
    let mut socket = Socket::new(stream, Client::new(IpAddr::from([127, 0, 0, 1]), None), &limits);
    let half = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), b"\0\x40\0\x01\0\0\0\0\x01", &[0; 0x4000]].concat();
    sender.write_all(&half).await.unwrap();
    let mut buffer = vec![0; half.len()];
    socket.read_exact(&mut buffer).await.unwrap();
    let counted = heads.bytes();
    assert!(counted > 0x4000 - head::FREE, "{counted}");
    socket.write_all(b"settings").await.unwrap();
    assert_eq!(heads.bytes(), counted);
}
