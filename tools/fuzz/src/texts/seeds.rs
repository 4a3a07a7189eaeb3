//! The initial inputs, and the pieces to insert into them.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use receiver::config::Auth;
use serde_json::json;
use sha2::Sha256;

use super::{Kind, NOW};
use crate::seeds::{SCHEMAS, container_of, datums};
use harness::container::codecs;

/// The bodies to sign.
pub(super) const BODIES: [&[u8]; 3] = [b"\x04e1\x06amy", b"", b"{\"a\": 1}\n\n{\"b\": 2}\n"];

const SECRET: &str = "a secret of at least sixteen bytes";
/// The template of a signature with all placeholders.
const TEMPLATE: &str = "{method}|{path}|{content_type}|{content_encoding}|{header:x-id}|{timestamp}|{body}";

/// Schemas with oddities that other writers produce.
const ODD: [&str; 8] = [
    r#""string""#,
    r#"["null", "int", {"type": "map", "values": ["null", "bytes"]}]"#,
    r#"{"type": "fixed", "name": "a.b.F", "size": 12, "logicalType": "duration", "aliases": ["G", "x-y"]}"#,
    r#"{"type": "enum", "name": "E", "symbols": ["A", "B"], "default": "C", "doc": "\u00e9\ud83d\ude00"}"#,
    r#"{"type": "record", "name": "n", "namespace": "abc-1.d", "fields": [{"name": "a", "type": "n2", "default": {}}, {"name": "b", "type": {"type": "error", "name": "n2", "fields": []}}]}"#,
    r#"{"type": "record", "name": "T", "fields": [{"name": "t", "type": ["null", "T"]}, {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}}]}"#,
    r#"{"type": {"type": "array", "items": {"type": "long", "logicalType": "timestamp-micros"}}}"#,
    "{\"type\": \"record\", \"name\": \"R\", \"fields\": [{\"name\": \"u\", \"type\": {\"type\": \"string\", \"logicalType\": \"uuid\"}, \"order\": \"ignore\"}]}",
];

const HEADS: [&str; 6] = [
    "POST /webhook/cxone/events\nhost: a\ncontent-type: application/avro; charset=utf-8\nx-request-id: r-1\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n\nx",
    "GET /x?hub.mode=subscribe&c=a%20b%C3%A9\nx-forwarded-for: 192.0.2.7, [2001:db8::1]:80, 127.0.0.2\nforwarded: for=\"[2001:db8::7]:1\";proto=https;by=_x, for=127.0.0.3",
    "POST /a/b/../c//d\ncontent-encoding: gzip\nx-schema-id: 7\nx-schema-version: 1\n\n\x00\x00\x00\x00\x07x",
    "PUT *\nx-forwarded-client-cert: By=spiffe://a/b;Hash=00;Subject=\"CN=a\\,b,O=c\";URI=spiffe://d;DNS=e,Cert=\"-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----\"\nx-ssl-client-cert: MAA=\nclient-cert: :MAA=:",
    "OPTIONS http://host:8080/a?b#c\ncontent-type: avro/binary\ncontent-type: application/vnd.apache.avro+container\n\nObj\x01",
    "\r\n\r\n\x00\r\nQUIT\n!\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0cGET / HTTP/1.1",
];

/// Returns the signing methods: those of vendors, and one with all placeholders.
pub(super) fn ways() -> anyhow::Result<Vec<Auth>> {
    let preset = |name: &str| json!({"type": "hmac", "preset": name, "secrets": [SECRET]});
    let webhooks = json!({"type": "standard_webhooks", "secrets": [format!("whsec_{}", STANDARD.encode(SECRET))]});
    let all = json!({"type": "hmac", "header": "x-signature", "timestamp_header": "x-time", "signed": TEMPLATE,
        "encoding": "base64", "secrets": ["another secret of sixteen bytes", SECRET]});
    let ways = [preset("github"), preset("shopify"), preset("slack"), preset("stripe"), webhooks, all];
    ways.into_iter().map(|way| serde_json::from_value(way).context("a way to sign cannot be read")).collect()
}

/// Returns the initial inputs of a kind.
///
/// # Errors
/// If one cannot be created.
pub(super) fn of(kind: Kind) -> anyhow::Result<Vec<Vec<u8>>> {
    let schemas = SCHEMAS.iter().map(|(schema, _)| *schema).chain(ODD);
    Ok(match kind {
        Kind::Schema => schemas.map(|schema| schema.as_bytes().to_vec()).collect(),
        Kind::Header => {
            let datum = datums().into_iter().next().context("there is no datum")?;
            let mut files = Vec::new();
            for codec in codecs() {
                files.push(container_of(SCHEMAS[0].0, codec, std::slice::from_ref(&datum))?);
            }
            for schema in ODD {
                files.extend(container_of(schema, codecs()[0], &[]).ok());
            }
            files
        }
        Kind::Head => HEADS.iter().map(|head| head.as_bytes().to_vec()).collect(),
        Kind::Signature => BODIES.iter().map(|body| signed(body)).collect::<anyhow::Result<Vec<_>>>()?.concat(),
    })
}

/// Returns a signed request with `body` for each of the [`ways`].
fn signed(body: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
    let now = NOW.to_string();
    let mac = |parts: &[&[u8]]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
        parts.iter().for_each(|part| mac.update(part));
        anyhow::Ok(mac.finalize().into_bytes())
    };
    let hex = |parts: &[&[u8]]| anyhow::Ok(hex::encode(mac(parts)?));
    let base64 = |parts: &[&[u8]]| anyhow::Ok(STANDARD.encode(mac(parts)?));
    let time = now.as_bytes();
    let all = format!("POST|/w?a=b|application/avro||7|{now}|");
    let heads = [
        format!("x-hub-signature-256: sha256={}", hex(&[body])?),
        format!("x-shopify-hmac-sha256: {}", base64(&[body])?),
        format!("x-slack-request-timestamp: {now}\nx-slack-signature: v0={}", hex(&[b"v0:", time, b":", body])?),
        format!("stripe-signature: t={now},v1=00,v1={},v0=00", hex(&[time, b".", body])?),
        format!(
            "webhook-id: msg_1\nwebhook-timestamp: {now}\nwebhook-signature: v1a,AA== v1,{}",
            base64(&[b"msg_1.", time, b".", body])?
        ),
        format!("x-time: {now}\nx-id: 7\nx-signature: {}", base64(&[all.as_bytes(), body])?),
    ];
    let request = |(number, head): (u8, String)| {
        let head = format!("POST /w?a=b\ncontent-type: application/avro\n{head}\n\n");
        [&[number], head.as_bytes(), body].concat()
    };
    Ok((0..).zip(heads).map(request).collect())
}

/// Pieces to insert into texts of schemas.
const IN_SCHEMA: &[&[u8]] = &[
    br#""type":"record","#,
    br#""name":"T","#,
    br#""namespace":"a.b-c","#,
    br#""fields":["#,
    br#"{"type":"array","items":"#,
    br#""aliases":["A","x-y"],"#,
    br#"["null","T"]"#,
    br#""logicalType":"decimal","precision":2,"scale":1,"#,
    br#"{"type":"fixed","name":"F","size":16}"#,
    br#""symbols":["A","A"],"#,
    br#""default":null,"#,
    b"\\u0000",
    b"1e999",
    b"-0",
    b"99999999999999999999",
    b"\xff",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\"",
    b"\\",
];

/// Pieces to insert into container files.
const IN_HEADER: &[&[u8]] = &[
    b"Obj\x01",
    b"\x14avro.codec\x08null",
    b"\x16avro.schema",
    b"\x0edeflate",
    b"\x00",
    b"\x01\x02",
    b"\xff\xff\xff\xff\x0f",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\x02\x00",
    br#""null""#,
    b"{\"type\":\"array\",\"items\":",
];

/// Pieces to insert into heads of requests.
const IN_HEAD: &[&[u8]] = &[
    b"\n",
    b": ",
    b"\n\n",
    b"forwarded: for=",
    b"x-forwarded-for: ",
    b"x-forwarded-client-cert: ",
    b"Cert=\"",
    b";",
    b",",
    b"\"",
    b"\\",
    b"%0A",
    b"%",
    b"-----BEGIN CERTIFICATE-----",
    b"-----END CERTIFICATE-----",
    b"[::1]:80",
    b"127.0.0.1",
    b"?c=",
    b"//",
    b"..",
    b"content-type: application/avro;",
    b"content-encoding: gzip,",
    b"x-schema-id: ",
    b"4294967296",
    b"\r\n\r\n\0\r\nQUIT\n",
    b"\x21\x11\0\x0c",
    b"\x20\0\0\0",
    b"\xff\xff",
];

/// Pieces to insert into signed requests.
const IN_SIGNATURE: &[&[u8]] = &[
    b"\n",
    b"\n\n",
    b",",
    b";",
    b" ",
    b"=",
    b"v1=",
    b"v0=",
    b"v1,",
    b"t=",
    b"sha256=",
    b"00",
    b"1700000000",
    b"1700000000000",
    b"-1",
    b"99999999999999999999",
    b"AA==",
    b".",
    b"|",
    b"\x00",
    b"\x05",
    b"webhook-id: ",
    b"svix-id: ",
    b"x-signature: ",
    b"x-id: 8\n",
    b"stripe-signature: ",
    b"content-type: avro/binary\n",
    b"content-encoding: deflate\n",
];

/// Returns the pieces to insert into inputs of a kind.
pub(super) fn pieces(kind: Kind) -> &'static [&'static [u8]] {
    match kind {
        Kind::Schema => IN_SCHEMA,
        Kind::Header => IN_HEADER,
        Kind::Head => IN_HEAD,
        Kind::Signature => IN_SIGNATURE,
    }
}
