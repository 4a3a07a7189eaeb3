//! Small files with large contents: their memory is counted, bounded, and freed once the producer has its copy.

use anyhow::Result;
use apache_avro::Codec;
use harness::container;
use harness::event::{Events, SCHEMA};
use harness::eventually::eventually;
use harness::front::Front;
use harness::http::{self, Method};
use harness::pipeline::Pipeline;
use harness::process;
use harness::stack::Stack;
use tokio::task::JoinSet;

const MIB: u64 = 1 << 20;

/// Returns a file of a few kilobytes whose 80 events take 8 MiB.
fn file() -> Result<Vec<u8>> {
    let events = Events::unique();
    let datums: Vec<Vec<u8>> = (0..80)
        .map(|number| {
            let mut event = events.event(number);
            event.metadata.push(("blob".to_owned(), "x".repeat(100_000)));
            event.encode()
        })
        .collect();
    container::file(SCHEMA, Codec::Deflate(apache_avro::DeflateSettings::default()), &[&datums])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_files_of_eight_mebibytes_stay_within_the_memory_limit() -> Result<()> {
    const FILES: usize = 16;
    process::build().await?;
    let pipeline = Pipeline::new(&Stack::running()?, "large-files").await?;
    let front = Front::start(&pipeline, |config| {
        config.receiver.max_in_flight_bytes = "32MiB".parse().expect("a size");
        // The queue has room for all files, so only the memory before the queue decides.
        config.kafka.options.insert("queue.buffering.max.kbytes".to_owned(), "131072".to_owned());
    })
    .await?;
    let (before, token) = (front.peak()?, format!("Bearer {}", pipeline.token));
    let mut sending = JoinSet::new();
    for _ in 0..FILES {
        let (url, token, file) = (front.url(), token.clone(), file()?);
        sending.spawn(async move {
            let headers =
                [("content-type", "application/vnd.apache.avro+container"), ("authorization", token.as_str())];
            // A file beyond the limit is answered 503, and sent again.
            eventually("the file is accepted", || async {
                let answer = http::send(Method::POST, &url, &headers, file.clone()).await?;
                anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
                Ok(())
            })
            .await
        });
    }
    let events = Events::unique();
    let headers = [("content-type", "application/avro"), ("authorization", token.as_str())];
    let mut number = 0;
    while !sending.is_empty() {
        let answer = http::send(Method::POST, &front.url(), &headers, events.event(number).encode()).await?;
        assert_eq!(answer.status, 200, "small event {number}: {}", answer.text());
        number += 1;
        while let Some(sent) = sending.try_join_next() {
            sent??;
        }
    }
    let more = front.peak()? - before;
    eprintln!("{number} small events were accepted meanwhile; {} MiB more at the peak", more / MIB);
    // The bound covers the files before the queue, those in it, and what the allocator keeps.
    assert!(more < 220 * MIB, "{} MiB more", more / MIB);
    Ok(())
}
