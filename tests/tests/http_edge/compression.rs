//! Compressed responses as clients decode them, item by item for streams.

use std::{io::Write, net::SocketAddr};

use gateway_runtime::{
    RunningGateway,
    http::{CompressionSettings, CorsSettings, HttpSettings},
    media::OctetStream,
    prelude::*,
};
use http::{HeaderValue, header};
use serde_json::Value;

use super::{
    gateway,
    services::Ticket,
    wire::{Answer, Wire},
};

#[model]
struct Pages {
    pages: u32,
}

/// A library of long texts.
#[service(name = "library")]
struct Library;

fn text(pages: u32) -> Vec<String> {
    (0..pages).map(|page| format!("page {page}: {}", "all work and no play ".repeat(4))).collect()
}

#[service]
impl Library {
    #[expose_method(GET)]
    async fn read(&self, input: Pages) -> Result<Vec<String>> {
        Ok(text(input.pages))
    }

    /// Does the same as `read`, with a response that must not be transformed.
    #[expose_method(GET)]
    async fn sealed(&self, input: Pages, call: Call) -> Result<Vec<String>> {
        call.add_response_header(header::CACHE_CONTROL, HeaderValue::from_static("no-transform"));
        Ok(text(input.pages))
    }

    /// Does the same as `read`, with a validator of its own.
    #[expose_method(GET)]
    async fn edition(&self, input: Pages, call: Call) -> Result<Vec<String>> {
        call.add_response_header(header::ETAG, HeaderValue::from_static("\"first\""));
        Ok(text(input.pages))
    }

    #[expose_method(GET)]
    async fn picture(&self) -> Result<Raw<OctetStream>> {
        Ok(Raw::new(vec![0; 5000]))
    }

    #[expose_method(POST)]
    async fn print(&self, input: Pages) -> Result<Vec<String>> {
        Ok(text(input.pages))
    }
}

/// A client's decoder, which returns all that it can decode so far.
enum Decoder {
    Gzip(Box<flate2::write::GzDecoder<Vec<u8>>>),
    Brotli(Box<brotli::DecompressorWriter<Vec<u8>>>),
}

impl Decoder {
    fn of(coding: &str) -> Self {
        match coding {
            "gzip" => Self::Gzip(Box::new(flate2::write::GzDecoder::new(Vec::new()))),
            _ => Self::Brotli(Box::new(brotli::DecompressorWriter::new(Vec::new(), 4096))),
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> String {
        let decoded = match self {
            Self::Gzip(decoder) => {
                decoder.write_all(bytes).unwrap();
                decoder.flush().unwrap();
                decoder.get_ref()
            }
            Self::Brotli(decoder) => {
                decoder.write_all(bytes).unwrap();
                decoder.flush().unwrap();
                decoder.get_ref()
            }
        };
        String::from_utf8(decoded.clone()).unwrap()
    }
}

fn decoded(answer: &Answer) -> String {
    assert!(answer.whole, "{answer:?}");
    Decoder::of(answer.header("content-encoding").unwrap()).feed(&answer.body)
}

async fn edge(compression: CompressionSettings) -> gateway::Gateway {
    let settings = HttpSettings { compression, ..HttpSettings::default() };
    gateway::Gateway::with(settings, Vec::new()).await
}

fn json(pages: u32) -> String {
    serde_json::to_string(&text(pages)).unwrap()
}

#[tokio::test]
async fn responses_are_compressed_as_their_client_accepts() {
    let gateway = edge(CompressionSettings::default()).await;
    for (accepted, coding) in [
        ("gzip, deflate, br", Some("gzip")),
        ("gzip;q=0.5, br", Some("br")),
        ("*", Some("gzip")),
        ("identity;q=0, br", Some("br")),
        ("identity, gzip;q=0.1", None),
        ("gzip;q=0", None),
        ("", None),
        ("*;q=0", None),
    ] {
        for pages in [50, 5000] {
            let request =
                format!("/services/library/v1/read?pages={pages}\nAccept-Encoding: {accepted}");
            let answer = gateway.get(&request).await;
            assert_eq!(
                (answer.status, answer.header("content-encoding")),
                (200, coding),
                "{accepted}"
            );
            assert_eq!(answer.header("vary"), Some("accept-encoding"), "{accepted}");
            let head = gateway.ask(&format!("HEAD {request}")).await;
            for field in ["content-encoding", "vary", "content-length", "content-type"] {
                assert_eq!(head.header(field), answer.header(field), "{accepted}: {field}");
            }
            if coding.is_some() {
                assert!(
                    decoded(&answer) == json(pages) && answer.body.len() * 5 < json(pages).len(),
                    "{accepted}"
                );
                // Large bodies are compressed while they are sent.
                assert_eq!(answer.header("content-length").is_some(), pages == 50);
            } else {
                assert!(answer.text() == json(pages), "{accepted}");
            }
        }
    }
    let plain = gateway.get("/services/library/v1/read?pages=50").await;
    assert_eq!(
        (plain.header("content-encoding"), plain.header("vary")),
        (None, Some("accept-encoding"))
    );
    assert_eq!(plain.text(), json(50));
}

#[tokio::test]
async fn excluded_responses_are_not_compressed() {
    let gateway = edge(CompressionSettings::default()).await;
    for address in [
        "/services/library/v1/read?pages=5",
        "/services/library/v1/sealed?pages=50",
        "/services/library/v1/picture",
        "/services/library/v1/nothing",
    ] {
        let answer = gateway.get(&format!("{address}\nAccept-Encoding: gzip, br")).await;
        assert_eq!(
            (answer.header("content-encoding"), answer.header("vary")),
            (None, None),
            "{address}"
        );
    }
    let must =
        gateway.get("/services/library/v1/read?pages=5\nAccept-Encoding: identity;q=0, gzip").await;
    assert_eq!(decoded(&must), json(5));
    let tagged = gateway.get("/services/library/v1/edition?pages=50\nAccept-Encoding: gzip").await;
    assert_eq!((tagged.header("etag"), decoded(&tagged)), (Some("W/\"first\""), json(50)));
    let off = edge(CompressionSettings { enabled: false, ..CompressionSettings::default() }).await;
    let answer = off.get("/services/library/v1/read?pages=50\nAccept-Encoding: gzip, br").await;
    assert_eq!((answer.header("content-encoding"), answer.header("vary")), (None, None));
}

#[tokio::test]
async fn each_item_of_a_compressed_stream_is_flushed_at_once() {
    let gateway = edge(CompressionSettings::default()).await;
    for (number, (coding, media)) in [
        ("gzip", "text/event-stream"),
        ("gzip", "application/x-ndjson"),
        ("br", "text/event-stream"),
        ("br", "application/x-ndjson"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("compressed-{number}");
        let item = |item: u32| {
            if media.starts_with("text") {
                format!("data: {item}\n\n")
            } else {
                format!("{item}\n")
            }
        };
        let mut wire = Wire::to(gateway.address).await;
        wire.send(&format!(
            "GET /services/edge/v1/count?name={name}&count=3 HTTP/1.1\r\nHost: a\r\nAccept: \
             {media}\r\n\
             Accept-Encoding: {coding}\r\nConnection: close\r\n\r\n"
        ))
        .await;
        let head = wire.read_until("\r\n\r\n").await.unwrap().to_ascii_lowercase();
        for field in [
            &format!("content-encoding: {coding}\r\n"),
            "vary: accept-encoding\r\n",
            "x-accel-buffering: no",
        ] {
            assert!(head.contains(field), "{field}: {head}");
        }
        assert!(!head.contains("content-length"), "{head}");
        let mut decoder = Decoder::of(coding);
        // The second item waits until its client has read the first.
        assert_eq!(decoder.feed(&wire.chunk().await.unwrap()), item(0), "{coding} {media}");
        Ticket::named(&name).release();
        let mut read = String::new();
        while let Some(chunk) = wire.chunk().await {
            read = decoder.feed(&chunk);
        }
        assert_eq!(read, [item(0), item(1), item(2)].concat(), "{coding} {media}");
    }
}

#[tokio::test]
async fn streams_beyond_the_limit_are_not_compressed() {
    let gateway = edge(CompressionSettings { streams: 1, ..CompressionSettings::default() }).await;
    let stream = async |name: &str| {
        let mut wire = Wire::to(gateway.address).await;
        let path = format!("/services/edge/v1/count?name={name}&count=2");
        wire.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"))
            .await;
        let head = wire.read_until("\r\n\r\n").await.unwrap().to_ascii_lowercase();
        (wire, head)
    };
    let (mut first, head) = stream("compressed-limit-1").await;
    assert!(head.contains("content-encoding: gzip"), "{head}");
    let (mut second, head) = stream("compressed-limit-2").await;
    assert!(!head.contains("content-encoding") && head.contains("vary: accept-encoding"), "{head}");
    assert_eq!(second.chunk().await.unwrap(), b"data: 0\n\n");
    Ticket::named("compressed-limit-1").release();
    while first.chunk().await.is_some() {}
    let (_third, head) = stream("compressed-limit-3").await;
    assert!(head.contains("content-encoding: gzip"), "the first has ended: {head}");
}

#[tokio::test]
async fn response_that_varies_by_origin_varies_by_both() {
    let cors =
        CorsSettings { origins: vec!["https://app.example".to_owned()], ..CorsSettings::default() };
    let gateway =
        gateway::Gateway::with(HttpSettings { cors, ..HttpSettings::default() }, Vec::new()).await;
    let mut wire = Wire::to(gateway.address).await;
    wire.send(
        "GET /services/library/v1/read?pages=50 HTTP/1.1\r\nHost: a\r\nOrigin: \
         https://app.example\r\n\
         Accept-Encoding: gzip\r\n\r\n",
    )
    .await;
    let head = wire.read_until("\r\n\r\n").await.unwrap().to_ascii_lowercase();
    let varies: Vec<_> = head.lines().filter_map(|line| line.strip_prefix("vary: ")).collect();
    assert_eq!(varies, ["origin", "accept-encoding"], "{head}");
}

#[tokio::test]
async fn bodies_with_a_content_coding_are_refused_with_the_accepted_ones() {
    let gateway = gateway::Gateway::start().await;
    for coding in ["gzip", "br", "identity, gzip", "identity\nContent-Encoding: deflate"] {
        let request = format!(
            "POST /services/library/v1/print\nContent-Type: application/json\nContent-Encoding: \
             {coding}"
        );
        let answer = gateway.ask(&format!("{request}\n\n{{\"pages\":1}}")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (415, "unsupported-media-type"),
            "{coding}"
        );
        assert_eq!(answer.header("accept-encoding"), Some("identity"), "{coding}");
        assert!(
            answer.json()["detail"].as_str().unwrap().contains("`Content-Encoding`"),
            "{coding}"
        );
    }
    let plain = gateway
        .ask("POST /services/library/v1/print\nContent-Encoding: identity\n\n{\"pages\":1}")
        .await;
    assert_eq!((plain.status, plain.header("accept-encoding")), (415, None), "that lacks its type");
}

/// Starts a whole gateway, with its published documents, an admin listener and a database.
pub(super) async fn house(name: &str) -> (RunningGateway, std::path::PathBuf) {
    let folder = std::env::temp_dir().join(format!("gateway-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let settings = format!(
        "http.listen = '127.0.0.1:0'\nadmin.listen = '127.0.0.1:0'\nstore.path = '{}'\n\
         auth.allow_anonymous = true\n\
         secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}",
        folder.join("books.db").display()
    );
    (Gateway::from_toml(&settings).unwrap().start().await.unwrap(), folder)
}

async fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut wire = Wire::to(address).await;
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let (first, fields) = head.split_once('\n').unwrap_or((head, ""));
    let fields: String = fields.lines().map(|field| format!("{field}\r\n")).collect();
    wire.send(&format!(
        "{first} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\
         {fields}\r\n{body}",
        body.len()
    ))
    .await;
    wire.answer(first.starts_with("HEAD")).await
}

#[tokio::test]
async fn documents_and_stored_replies_are_the_same_in_every_coding() {
    let (running, folder) = house("compression").await;
    let address = running.address();
    for path in ["/meta", "/openapi.json", "/asyncapi.json"] {
        let plain = ask(address, &format!("GET {path}")).await;
        let tag = plain.header("etag").unwrap().to_owned();
        assert!(tag.starts_with('"') && plain.header("vary") == Some("accept-encoding"), "{path}");
        for (accepted, coding) in [("gzip, br", "br"), ("gzip", "gzip")] {
            let request = format!("{path}\nAccept-Encoding: {accepted}");
            // The second response is not compressed again.
            for _ in 0..2 {
                let answer = ask(address, &format!("GET {request}")).await;
                assert_eq!(answer.header("content-encoding"), Some(coding), "{path}");
                assert!(
                    decoded(&answer) == plain.text() && answer.body.len() * 4 < plain.body.len(),
                    "{path}"
                );
                assert_eq!(answer.header("etag").unwrap(), format!("W/{tag}"), "{path}");
                let head = ask(address, &format!("HEAD {request}")).await;
                assert_eq!(
                    head.header("content-length"),
                    answer.header("content-length"),
                    "{path}"
                );
            }
            for known in [tag.clone(), format!("W/{tag}")] {
                let answer = ask(address, &format!("GET {request}\nIf-None-Match: {known}")).await;
                assert_eq!(
                    (answer.status, answer.header("vary")),
                    (304, Some("accept-encoding")),
                    "{path}"
                );
                assert_eq!(answer.header("etag").unwrap(), format!("W/{tag}"), "{path}");
            }
        }
        let known = ask(address, &format!("GET {path}\nIf-None-Match: W/{tag}")).await;
        assert_eq!((known.status, known.header("etag")), (304, Some(&*tag)), "{path}");
    }

    // Too small to be compressed, or not text.
    let front = ask(address, "GET /docs/start.js\nAccept-Encoding: gzip").await;
    assert_eq!(
        (front.header("content-encoding"), front.header("vary")),
        (None, None),
        "{}",
        front.body.len()
    );
    let tag = front.header("etag").unwrap();
    for known in [tag, &format!("W/{tag}"), "*"] {
        let again = ask(
            address,
            &format!("GET /docs/start.js\nAccept-Encoding: gzip\nIf-None-Match: {known}"),
        )
        .await;
        assert_eq!(
            (again.status, again.header("etag"), again.header("vary")),
            (304, Some(tag), None),
            "{known}"
        );
        assert_eq!(
            again.header("content-security-policy"),
            front.header("content-security-policy")
        );
        assert_eq!(again.header("content-type"), None);
    }

    let operator = running.admin_address().unwrap();
    for path in ["/metrics", "/openapi.json", "/admin/providers"] {
        let answer = ask(operator, &format!("GET {path}\nAccept-Encoding: gzip")).await;
        assert_eq!(
            (answer.status, answer.header("vary")),
            (200, Some("accept-encoding")),
            "{path}"
        );
        assert!(decoded(&answer).len() > 1024, "{path}");
        let is_whole = answer.header("content-length").is_some();
        assert_eq!(
            is_whole,
            decoded(&answer).len() <= 64 * 1024,
            "{path}: {}",
            decoded(&answer).len()
        );
    }
    let coded =
        "POST /admin/accounts\nContent-Type: application/json\nContent-Encoding: gzip\n\n{}";
    let refused = ask(operator, coded).await;
    assert_eq!((refused.status, refused.header("accept-encoding")), (415, Some("identity")));

    let call = |fields: &str| {
        format!(
            "POST /services/library/v1/print\nContent-Type: application/json\nIdempotency-Key: \
             compressed\n{fields}\n\n\
             {{\"pages\":50}}"
        )
    };
    let first = ask(address, &call("Accept-Encoding: gzip")).await;
    assert_eq!((first.status, decoded(&first)), (200, json(50)));
    for (fields, coding) in [("Accept-Encoding: br", Some("br")), ("X-Test: none", None)] {
        let again = ask(address, &call(fields)).await;
        assert_eq!(
            (again.header("idempotent-replayed"), again.header("content-encoding")),
            (Some("true"), coding)
        );
        let text = if coding.is_some() { decoded(&again) } else { again.text().to_owned() };
        assert_eq!(text, json(50), "{fields}");
    }
    assert!(serde_json::from_str::<Value>(&json(50)).is_ok());
    running.stop().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}
