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
