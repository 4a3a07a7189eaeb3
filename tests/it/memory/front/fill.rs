//! Fills the rows one after the other. A row is full when a further item is refused or makes another one give way.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use apache_avro::Codec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use harness::container;
use harness::event::{Events, SCHEMA};
use harness::eventually::{eventually, patience};
use harness::http::{Connection, HttpAnswer, Method, Request};
use harness::pipeline::{PATH, metric};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::time::timeout;

use super::line::Lines;
use super::{CONNECTIONS, SECRETS, SIGNATURES, SIGNED, STRANGERS, Scene, WIDE, secret, wide};

const AVRO: &str = "application/avro";
const CONTAINER: &str = "application/vnd.apache.avro+container";
/// The files: their number, and the events of each. Together they exceed the queue, and the small ones leave no gap.
const FILES: [(u64, u64); 5] = [(5, 10_000), (30, 500), (12, 50), (12, 5), (12, 1)];
/// A lower bound for the events that fit into the queue.
pub(super) const LEAST_QUEUED: u64 = 30_000;
/// The number of hashes of unusable schemas that are remembered.
const UNUSABLE: u64 = 1_000;
/// More heads of 28 KiB each than fit.
const HEADS: usize = 320;
/// More bodies than fit, at 1,000 KiB each; and than fit into the reserve for small ones, at 60 KB each.
const LARGE_BODIES: usize = 70;
const SMALL_BODIES: usize = 500;

/// Returns the schema of events in a variant that the registry stores as another schema.
pub(super) fn variant(number: u64) -> String {
    SCHEMA.replacen('{', &format!("{{\"number\": {number},"), 1)
}

/// Returns the head of a request with these headers and those of a body.
fn head(path: &str, headers: &str, length: usize) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n").into_bytes()
}

/// Returns a file of a few kilobytes, whose events have about 600 bytes each.
fn file(events: Events, numbers: Range<u64>) -> Result<Vec<u8>> {
    let event = |number| {
        let mut event = events.event(number);
        event.metadata.push(("rest".to_owned(), "x".repeat(400)));
        event.encode()
    };
    let datums: Vec<Vec<u8>> = numbers.map(event).collect();
    container::file(SCHEMA, Codec::Zstandard(apache_avro::ZstandardSettings::default()), &[&datums])
}

/// Posts a file of the events `numbers`, and waits for its answer. Returns them if they were accepted.
async fn post_file(lines: Lines, headers: String, events: Events, numbers: Range<u64>) -> Result<Option<Range<u64>>> {
    let body = file(events, numbers.clone())?;
    let status = lines.send(&[head(PATH, &headers, body.len()), body].concat()).await?.status().await?;
    ensure!(matches!(status, 200 | 503), "{status}");
    Ok((status == 200).then_some(numbers))
}

impl Scene {
    /// Returns the headers of an authenticated sender.
    fn headers(&self, content_type: &str) -> String {
        format!("authorization: {}\r\ncontent-type: {content_type}\r\n", self.authorization)
    }

    async fn post(&self, to: &mut Connection, path: &str, header: (&str, &str), body: Vec<u8>) -> Result<HttpAnswer> {
        let request = Request::builder().method(Method::POST).uri(path).header("host", "x");
        let request = request.header("authorization", &self.authorization).header(header.0, header.1);
        to.send(request.body(body.into())?).await
    }

    async fn post_signed(&self, to: &mut Connection, number: u64) -> Result<u16> {
        let (id, body) = (format!("msg_{number}"), self.events.event(number).encode());
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret(0))?;
        [id.as_bytes(), b".", self.signed_at.as_bytes(), b".", &body].into_iter().for_each(|part| mac.update(part));
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let request =
            Request::builder().method(Method::POST).uri(SIGNED).header("host", "x").header("content-type", AVRO);
        let request = request.header("webhook-id", id).header("webhook-timestamp", &self.signed_at);
        Ok(to.send(request.header("webhook-signature", signature).body(body.into())?).await?.status.as_u16())
    }

    /// Sends more accepted requests than there is room for their signatures.
    pub(super) async fn fill_the_signatures(&self) -> Result<()> {
        let requests = SIGNATURES / SECRETS + 1;
        let mut connection = self.lines.connection().await?;
        for number in 0..requests {
            let status = self.post_signed(&mut connection, number).await?;
            ensure!(status == 200, "request {number}: {status}");
        }
        ensure!(self.post_signed(&mut connection, requests - 1).await? == 401, "the last one is not remembered");
        ensure!(self.post_signed(&mut connection, 0).await? == 200, "the first one is remembered: there is still room");
        Ok(())
    }

    /// Sends bodies that are no events until one finds no room.
    pub(super) async fn fill_the_quarantine(&self) -> Result<()> {
        let mut connection = self.lines.connection().await?;
        let capped = r#"penstock_receiver_quarantine_total{outcome="capped",source="cxone"}"#;
        while metric(self.front.admin_url(), capped).await? == 0.0 {
            let body = vec![0xff; 500 * 1024];
            let answer = self.post(&mut connection, PATH, ("content-type", AVRO), body).await?;
            ensure!(answer.status == 400, "{}: {}", answer.status, answer.text());
        }
        Ok(())
    }

    /// Sends files until there is no room for a single event. Their senders wait for the answer.
    pub(super) async fn fill_the_queue(&mut self) -> Result<()> {
        let mut next = 0;
        for (count, each) in FILES {
            for _ in 0..count {
                let (headers, numbers) = (self.headers(CONTAINER), next..next + each);
                let (before, full) = (self.queue_len().await?, self.outcomes("cxone", "queue-full").await?);
                self.queued.spawn(post_file(self.lines.clone(), headers, self.events, numbers));
                next += each;
                eventually("the file is queued or finds no room", || async {
                    let queued = self.queue_len().await? - before;
                    let is_refused = self.outcomes("cxone", "queue-full").await? > full;
                    ensure!(queued == each as f64 || is_refused, "{queued} events of {each} are queued");
                    Ok(())
                })
                .await?;
            }
        }
        self.fill_the_gap().await
    }

    /// Sends the event that later requests bring until it finds no room: a file leaves a gap that is shorter than one
    /// of its events, and this one is shorter than those.
    async fn fill_the_gap(&mut self) -> Result<()> {
        let full = self.outcomes("cxone", "queue-full").await?;
        while self.outcomes("cxone", "queue-full").await? == full {
            let (before, body) = (self.queue_len().await?, self.events.event(0).encode());
            let request = [head(PATH, &self.headers(AVRO), body.len()), body].concat();
            self.unused.push(self.lines.send(&request).await?);
            eventually("the event is queued or finds no room", || async {
                let is_queued = self.queue_len().await? > before;
                ensure!(is_queued || self.outcomes("cxone", "queue-full").await? > full, "neither");
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn queue_len(&self) -> Result<f64> {
        metric(self.front.admin_url(), "penstock_receiver_kafka_queue_records").await
    }

    /// Waits until more than `before` requests of `source` had this outcome.
    async fn until_refused(&self, source: &str, outcome: &str, before: f64) -> Result<()> {
        eventually("something finds no room", || async {
            let refused = self.outcomes(source, outcome).await?;
            ensure!(refused > before, "{refused} requests of {source} were answered {outcome}");
            Ok(())
        })
        .await
    }

    /// Sends events that name more schemas than are kept, and as many that the registry does not have.
    pub(super) async fn fill_the_schemas(&self) -> Result<()> {
        let mut connection = self.lines.connection().await?;
        // Registries issue ids of up to 31 bits.
        let missing = (1_u32 << 30..).take(self.schemas.len()).map(|id| (id, 400));
        for (id, status) in self.schemas.iter().map(|id| (*id, 200)).chain(missing) {
            let request = Request::builder().method(Method::POST).uri(PATH).header("host", "x");
            let request = request.header("authorization", &self.authorization).header("content-type", AVRO);
            let request = request.header("x-schema-id", id).body(self.events.event(0).encode().into())?;
            let answer = connection.send(request).await?;
            ensure!(answer.status == status, "schema {id}: {}: {}", answer.status, answer.text());
        }
        Ok(())
    }

    /// Sends files without events and with schemas of 256 KiB, several at a time, until their texts exceed what is
    /// kept.
    pub(super) async fn fill_the_schemas_of_files(&self) -> Result<()> {
        let text = wide();
        let mut sent: FuturesUnordered<_> = (0..24_usize)
            .map(|number| {
                let file = container::file(&format!("{text}{}", " ".repeat(number)), Codec::Null, &[]);
                async move {
                    let mut connection = self.lines.connection().await?;
                    self.post(&mut connection, WIDE, ("content-type", CONTAINER), file?).await
                }
            })
            .collect();
        while let Some(answer) = sent.next().await {
            let answer = answer?;
            ensure!(matches!(answer.status.as_u16(), 200 | 503), "{}: {}", answer.status, answer.text());
        }
        Ok(())
    }

    /// Sends files with more unusable schemas than are remembered.
    pub(super) async fn fill_the_unusable_schemas(&self) -> Result<()> {
        let mut connection = self.lines.connection().await?;
        for number in 0..UNUSABLE + 10 {
            let file = container::file(&format!("{{{number}}}"), Codec::Null, &[])?;
            self.post(&mut connection, PATH, ("content-type", CONTAINER), file).await?;
        }
        let refused = self.outcomes("cxone", "unusable-schema").await?;
        ensure!(refused >= UNUSABLE as f64, "{refused} were unusable");
        Ok(())
    }

    /// Leaves connections behind that have sent long bodies, and wait for their next request.
    pub(super) async fn use_connections(&mut self) -> Result<()> {
        for _ in 0..CONNECTIONS / 4 {
            let mut connection = self.lines.connection().await?;
            let answer = self.post(&mut connection, PATH, ("content-type", AVRO), vec![0xff; 256 * 1024]).await?;
            ensure!(answer.status == 400, "{}: {}", answer.status, answer.text());
            self.used.push(connection);
        }
        Ok(())
    }

    /// Sends heads without their ends until one is refused and its connection closed.
    pub(super) async fn fill_the_heads(&mut self) -> Result<()> {
        let long = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(31 * 1024));
        for _ in 0..HEADS {
            self.stopped.spawn(self.lines.send(long.as_bytes()).await?.ended());
        }
        timeout(patience(), self.stopped.join_next()).await.context("none was refused")?;
        Ok(())
    }

    /// Sends signed requests whose bodies stop in the middle until one must give way.
    pub(super) async fn fill_the_anteroom(&mut self) -> Result<()> {
        let signature = STANDARD.encode([0; 32]);
        let time = &self.signed_at;
        let headers = format!(
            "content-type: {AVRO}\r\nwebhook-id: x\r\nwebhook-timestamp: {time}\r\n\
             webhook-signature: v1,{signature}\r\n"
        );
        self.stop_in_bodies(SIGNED, "signed", &headers, 500 * 1024, STRANGERS).await
    }

    /// Sends bodies that stop in the middle until there is no room for another, first large ones and then small ones.
    pub(super) async fn fill_the_bodies(&mut self) -> Result<()> {
        let headers = self.headers(AVRO);
        self.stop_in_bodies_until_refused(&headers, 1_000 * 1024, LARGE_BODIES).await?;
        self.stop_in_bodies_until_refused(&headers, 60_000, SMALL_BODIES).await
    }

    /// Sends requests without the last byte of their bodies until one was refused, at most `most`. How many fit depends
    /// on the unauthenticated ones, which may lose their room meanwhile.
    async fn stop_in_bodies_until_refused(&mut self, headers: &str, length: usize, most: usize) -> Result<()> {
        let before = self.outcomes("cxone", "overloaded").await?;
        for _ in 0..most {
            if self.outcomes("cxone", "overloaded").await? > before {
                return Ok(());
            }
            self.stop_in_body(PATH, headers, length).await?;
        }
        self.until_refused("cxone", "overloaded", before).await
    }

    /// Sends `most` requests without the last byte of their bodies, and waits until one was refused.
    async fn stop_in_bodies(
        &mut self,
        path: &str,
        source: &str,
        headers: &str,
        length: usize,
        most: usize,
    ) -> Result<()> {
        let before = self.outcomes(source, "overloaded").await?;
        for _ in 0..most {
            self.stop_in_body(path, headers, length).await?;
        }
        self.until_refused(source, "overloaded", before).await
    }

    async fn stop_in_body(&mut self, path: &str, headers: &str, length: usize) -> Result<()> {
        let request = [head(path, headers, length), vec![b'x'; length - 1]].concat();
        self.stopped.spawn(self.lines.send(&request).await?.ended());
        Ok(())
    }

    /// Opens connections up to the limit.
    pub(super) async fn fill_the_connections(&mut self) -> Result<()> {
        let open = || metric(self.front.admin_url(), "penstock_receiver_connections");
        while open().await? < CONNECTIONS as f64 {
            self.unused.push(self.lines.open().await?);
        }
        Ok(())
    }
}
