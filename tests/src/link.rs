//! A TCP link that can be cut, slowed, narrowed or silenced, in either direction.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The number of bytes that are passed on at a time.
const CHUNK: usize = 8 * 1024;

/// The treatment of bytes on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Bytes pass.
    Fair,
    /// Connections break, and new ones are closed immediately.
    Cut,
    /// Each chunk arrives this much later.
    Slow(Duration),
    /// This many bytes pass per second, on each connection and in each direction.
    Narrow(u32),
    /// Connections stay open, but nothing passes.
    Silent,
    /// Requests pass, but answers do not.
    Mute,
}

/// A link on its own port to another port of this machine. It ends when dropped.
#[derive(Debug)]
pub struct Link {
    port: u16,
    weather: watch::Sender<Weather>,
    _stop: DropGuard,
}

struct Direction {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    weather: watch::Receiver<Weather>,
    is_answer: bool,
}

impl Link {
    /// Opens a link to the port `upstream` of 127.0.0.1, where no server needs to listen yet.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn open(upstream: u16) -> anyhow::Result<Self> {
        // Outgoing connections never get this port, so it can be given to others before the link is open.
        let listener = TcpListener::bind(("127.0.0.1", crate::ports::free()?)).await?;
        let port = listener.local_addr()?.port();
        let (weather, receiver) = watch::channel(Weather::Fair);
        let stop = CancellationToken::new();
        tokio::spawn(stop.clone().run_until_cancelled_owned(serve(listener, upstream, receiver)));
        Ok(Self { port, weather, _stop: stop.drop_guard() })
    }

    /// The link's own port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Changes the weather, for existing connections too.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn serve(listener: TcpListener, upstream: u16, weather: watch::Receiver<Weather>) {
    while let Ok((client, _)) = listener.accept().await {
        if *weather.borrow() == Weather::Cut {
            continue;
        }
        tokio::spawn(connection(client, upstream, weather.clone()));
    }
}

/// Passes on both directions until one of them ends.
async fn connection(client: TcpStream, upstream: u16, weather: watch::Receiver<Weather>) {
    // If no server listens there, the client sees its connection closed.
    let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)).await else { return };
    // If this fails, bytes only arrive later.
    client.set_nodelay(true).and(server.set_nodelay(true)).ok();
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let requests = Direction { from: client_read, to: server_write, weather: weather.clone(), is_answer: false };
    let answers = Direction { from: server_read, to: client_write, weather, is_answer: true };
    tokio::select! {
        () = requests.pass() => (),
        () = answers.pass() => (),
    }
}

/// Waits until the link is cut or dropped.
async fn cut(weather: &mut watch::Receiver<Weather>) {
    weather.wait_for(|weather| *weather == Weather::Cut).await.ok();
}

impl Direction {
    async fn pass(mut self) {
        let mut chunk = vec![0; CHUNK];
        let mut weather = self.weather.clone();
        loop {
            let read = tokio::select! {
                read = self.from.read(&mut chunk) => read.unwrap_or(0),
                () = cut(&mut weather) => return,
            };
            if read == 0 || !self.admits(read).await || self.to.write_all(&chunk[..read]).await.is_err() {
                return;
            }
        }
    }

    /// Waits until this many bytes may pass. Returns whether they may pass at all.
    async fn admits(&mut self, bytes: usize) -> bool {
        let weather = *self.weather.borrow_and_update();
        match weather {
            Weather::Fair => true,
            Weather::Mute if !self.is_answer => true,
            Weather::Cut => false,
            Weather::Slow(wait) => {
                sleep(wait).await;
                true
            }
            Weather::Narrow(per_second) => {
                sleep(Duration::from_secs_f64(bytes as f64 / f64::from(per_second))).await;
                true
            }
            // Held-back bytes never arrive: the connection breaks when the weather changes.
            Weather::Silent | Weather::Mute => {
                self.weather.changed().await.ok();
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
