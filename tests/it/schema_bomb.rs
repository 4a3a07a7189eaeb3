//! Schemas in the headers of files that are made to cost far more time, memory and log than their bytes justify.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use apache_avro::Codec;
use flate2::Compression;
use flate2::write::GzEncoder;
use harness::container;
use harness::event::Events;
use harness::http::{self, Method};
use harness::pipeline::{PATH, Pipeline, metric, ready};
use harness::process::{self, Binary, Process, write_config};
use harness::stack::Stack;

const AVRO: (&str, &str) = ("content-type", "application/avro");
const CONTAINER: (&str, &str) = ("content-type", "application/vnd.apache.avro+container");

fn many(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().join(",")
}

fn record(rest: &str, fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R"{rest},"fields":[{fields}]}}"#)
}

/// Texts that made apache-avro's parser use gigabytes or minutes, or write megabytes of log, and similar ones.
fn bombs() -> Vec<(&'static str, String)> {
    let aliases = many(3_000, |number| format!("\"a{number}\""));
    let refers = |count| many(count, |number| format!(r#"{{"name":"f{number}","type":"R"}}"#));
    let ignored = r#"{"type":"bytes","logicalType":"decimal","precision":1,"scale":9}"#;
    let twos = many(30, |number| {
        let next = if number == 29 { "null".to_owned() } else { format!("D{}", number + 1) };
        format!(
            r#"{{"type":"record","name":"D{number}","fields":[{{"name":"a","type":"{next}"}},{{"name":"b","type":"{next}"}}]}}"#
        )
    });
    vec![
        ("aliases of a type that many fields have", record(&format!(r#","aliases":[{aliases}]"#), &refers(2_000))),
        (
            "many fields with many aliases each",
            record("", &many(300, |number| format!(r#"{{"name":"f{number}","aliases":[{aliases}],"type":"int"}}"#))),
        ),
        (
            "logical types that are ignored",
            record("", &many(3_000, |number| format!(r#"{{"name":"f{number}","type":{ignored}}}"#))),
        ),
        ("brackets", "[".repeat(200_000)),
        ("arrays in arrays", format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(5_000), "}".repeat(5_000))),
        ("two of the next, thirty deep", format!("[{twos}]")),
        (
            "a huge enum",
            format!(r#"{{"type":"enum","name":"E","symbols":[{}]}}"#, many(28_000, |number| format!("\"s{number}\""))),
        ),
        (
            "a huge default",
            record("", &format!(r#"{{"name":"f","type":"int","default":[{}]}}"#, many(100_000, |_| "1".to_owned()))),
        ),
        ("a huge doc", record(&format!(r#","doc":"{}""#, "d".repeat(8 << 20)), "")),
        (
            "a long namespace for many names",
            record(
                &format!(r#","namespace":"{}""#, "n".repeat(100_000)),
                &many(3_000, |number| {
                    format!(r#"{{"name":"f{number}","type":{{"type":"fixed","name":"F{number}","size":1}}}}"#)
                }),
            ),
        ),
        ("fields that a document would call the same", {
            let name = |number: usize| -> String {
                (0..13).map(|bit| if number >> bit & 1 == 1 { '.' } else { '_' }).collect()
            };
            record("", &many(6_500, |number| format!(r#"{{"name":"{}","type":"int"}}"#, name(number))))
        }),
        ("one name twice", record("", &many(9_000, |_| r#"{"name":"f","type":"int"}"#.to_owned()))),
    ]
}

/// Returns the peak memory of the process `id`, in bytes.
fn peak(id: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malicious_schemas_of_files_stay_cheap_and_hurt_no_honest_sender() -> Result<()> {
    process::build().await?;
    let mut pipeline = Pipeline::new(&Stack::running()?, "schema-bomb").await?;
    let (listen, admin) = (harness::ports::free()?, harness::ports::free()?);
    pipeline.config.receiver.listen.set_port(listen);
    pipeline.config.receiver.admin_listen.set_port(admin);
    pipeline.config.receiver.sources.get_mut("cxone").context("no source")?.register_schemas = true;
    let (file, log) = (pipeline.file("penstock.yaml"), pipeline.file("receiver.log"));
    write_config(&pipeline.config, &file)?;
    let mut process = Process::start(Binary::Receiver, &file, &[], &log)?;
    let admin = format!("http://127.0.0.1:{admin}");
    ready(&admin).await?;
    let (url, token) = (format!("http://127.0.0.1:{listen}{PATH}"), format!("Bearer {}", pipeline.token));

    let done = Arc::new(AtomicBool::new(false));
    let honest = tokio::spawn(honest(url.clone(), token.clone(), Arc::clone(&done)));
    let (before, log_before) = (peak(process.id())?, std::fs::metadata(&log)?.len());
    let headers = [CONTAINER, ("content-encoding", "gzip"), ("authorization", token.as_str())];
    for (what, schema) in bombs() {
        let body = gzip(&container::file(&schema, Codec::Null, &[])?)?;
        for _ in 0..3 {
            let answer = http::send(Method::POST, &url, &headers, body.clone()).await?;
            let status = answer.status.as_u16();
            assert!(matches!(status, 400 | 200 | 413), "{what}: {}", answer.text());
        }
        println!("{what}: {} bytes, peak {} KiB", body.len(), peak(process.id())? / 1024);
    }
    done.store(true, Ordering::Relaxed);
    let mut times = honest.await??;
    times.sort_unstable();
    println!("{} honest requests, p99 {:?}", times.len(), times.get(times.len() * 99 / 100));
    assert!(times.len() > 10, "{} honest requests", times.len());
    let more = peak(process.id())?.saturating_sub(before);
    assert!(more < 96 << 20, "{more} bytes more than before");
    let logged = std::fs::metadata(&log)?.len() - log_before;
    assert!(logged < 64 << 10, "{logged} bytes of log");
    assert_eq!(metric(&admin, "penstock_receiver_requests_total{outcome=\"internal\",source=\"cxone\"}").await?, 0.0);
    process.ensure_running()
}

/// Sends one event after the other, each of which must be accepted. Returns how long each took.
async fn honest(url: String, token: String, done: Arc<AtomicBool>) -> Result<Vec<Duration>> {
    let (events, mut times) = (Events::unique(), Vec::new());
    while !done.load(Ordering::Relaxed) {
        let begin = Instant::now();
        let body = events.event(times.len() as u64).encode();
        let answer = http::send(Method::POST, &url, &[AVRO, ("authorization", &token)], body).await?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
        times.push(begin.elapsed());
    }
    Ok(times)
}
