//! What passes in each weather.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Duration, timeout};

use super::{Link, Weather};

/// Sends each byte back.
async fn echo() -> anyhow::Result<Link> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await.ok();
            });
        }
    });
    Link::open(port).await
}

async fn answer(stream: &mut TcpStream, byte: u8) -> Option<u8> {
    stream.write_all(&[byte]).await.ok()?;
    let mut answer = [0];
    stream.read_exact(&mut answer).await.ok()?;
    Some(answer[0])
}

#[tokio::test]
async fn bytes_pass_a_normal_slow_or_narrow_link() -> anyhow::Result<()> {
    let link = echo().await?;
    let mut stream = TcpStream::connect(link.address()).await?;
    assert_eq!(answer(&mut stream, 7).await, Some(7));
    for weather in [Weather::Slow(Duration::from_millis(5)), Weather::Narrow(1_000), Weather::Fair] {
        link.set(weather);
        assert_eq!(answer(&mut stream, 8).await, Some(8), "{weather:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_cut_breaks_open_and_new_connections() -> anyhow::Result<()> {
    let link = echo().await?;
    let mut stream = TcpStream::connect(link.address()).await?;
    assert_eq!(answer(&mut stream, 7).await, Some(7));
    link.set(Weather::Cut);
    assert_eq!(answer(&mut stream, 8).await, None);
    assert_eq!(answer(&mut TcpStream::connect(link.address()).await?, 9).await, None);
    link.set(Weather::Fair);
    assert_eq!(answer(&mut TcpStream::connect(link.address()).await?, 9).await, Some(9));
    Ok(())
}

#[tokio::test]
async fn held_back_bytes_never_arrive() -> anyhow::Result<()> {
    for weather in [Weather::Silent, Weather::Mute] {
        let link = echo().await?;
        let mut stream = TcpStream::connect(link.address()).await?;
        assert_eq!(answer(&mut stream, 7).await, Some(7));
        link.set(weather);
        // This waits for silence, not for an event.
        let silence = timeout(Duration::from_millis(200), answer(&mut stream, 8));
        assert!(silence.await.is_err(), "{weather:?}");
        link.set(Weather::Fair);
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0, "{weather:?}");
        assert_eq!(answer(&mut TcpStream::connect(link.address()).await?, 9).await, Some(9));
    }
    Ok(())
}
