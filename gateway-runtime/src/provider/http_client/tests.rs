//! Classification of failed exchanges, with real sockets at the other end.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{ProviderError, Secret, provider::AttemptClass};

/// Starts a server that handles each connection with `handle`, for as long as the test runs, and
/// returns its base URL.
async fn server<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    format!("http://{address}")
}

/// Reads a request's head.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// Starts a server that sends `answer` to every request of a connection, and returns its base URL.
async fn answering(answer: &'static str) -> String {
    server(async move |mut stream| {
        while !read_head(&mut stream).await.is_empty() {
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await
}

fn client() -> HttpClient {
    HttpClient::new(&HttpClientSettings::default()).unwrap()
}

async fn get(url: &str) -> Result<HttpResponse, ProviderError> {
    client().get(url).send().await
}

async fn failure(url: &str) -> ProviderError {
    get(url).await.expect_err("it fails")
}

async fn class(url: &str) -> AttemptClass {
    failure(url).await.class()
}

#[tokio::test]
async fn request_is_not_sent_when_connecting_fails() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(class(&format!("http://{unused}")).await, AttemptClass::NotSent);
    assert_eq!(class("http://nothing.invalid/").await, AttemptClass::NotSent);
    let garbage =
        server(async |mut stream| stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap())
            .await;
    assert_eq!(class(&garbage.replace("http", "https")).await, AttemptClass::NotSent);
}

#[tokio::test]
async fn request_is_not_sent_when_the_handshake_hangs() {
    let silent = server(async |mut stream| while stream.read_u8().await.is_ok() {}).await;
    let settings =
        HttpClientSettings { connect_timeout: Duration::from_millis(200), ..Default::default() };
    let client = HttpClient::new(&settings).unwrap();
    let error = client.get(silent.replace("http", "https")).send().await.unwrap_err();
    assert_eq!((error.class(), error.is_time_out()), (AttemptClass::NotSent, false), "{error}");
}

#[tokio::test]
async fn request_is_not_sent_when_it_is_invalid() {
    for request in [
        client().get("nowhere"),
        client().get("http://127.0.0.1:1").header("x-key", "a\nb"),
        client().get("http://127.0.0.1:1").header("a b", "value"),
        client().get("http://127.0.0.1:1").secret_header("x-key", &Secret::new("hunter\n2")),
        client().post("http://127.0.0.1:1").json(&std::collections::HashMap::from([((1, 2), 3)])),
    ] {
        let error = request.send().await.unwrap_err();
        assert_eq!(error.class(), AttemptClass::NotSent);
        assert!(!error.message().contains("hunter"), "{error}");
    }
}

#[tokio::test]
async fn exchange_is_ambiguous_when_it_ends_after_sending() {
    let closes = server(async |mut stream| drop(read_head(&mut stream).await)).await;
    assert_eq!(class(&closes).await, AttemptClass::Ambiguous);
    let resets = server(async |mut stream| {
        read_head(&mut stream).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    assert_eq!(class(&resets).await, AttemptClass::Ambiguous);
    let hangs = server(async |mut stream| {
        read_head(&mut stream).await;
        std::future::pending().await
    })
    .await;
    let error = client().post(&hangs).timeout(Duration::from_millis(100)).send().await.unwrap_err();
    assert_eq!((error.class(), error.is_time_out()), (AttemptClass::Ambiguous, true));
    let nonsense = answering("ICY 200 OK\r\n\r\n").await;
    assert_eq!(class(&nonsense).await, AttemptClass::Ambiguous);
}

#[tokio::test]
async fn statuses_are_classified_and_redirects_are_not_followed() {
    for (status, class) in [
        (302, AttemptClass::Ambiguous),
        (400, AttemptClass::Invalid),
        (401, AttemptClass::Rejected),
        (402, AttemptClass::Rejected),
        (403, AttemptClass::Rejected),
        (404, AttemptClass::Invalid),
        (429, AttemptClass::Rejected),
        (500, AttemptClass::Ambiguous),
        (503, AttemptClass::Ambiguous),
    ] {
        let head = format!(
            "HTTP/1.1 {status} X\r\nlocation: /elsewhere\r\ncontent-length: 4\r\n\r\nwhy\n"
        );
        let error = failure(&answering(head.leak()).await).await;
        assert_eq!((error.class(), error.status()), (class, Some(status)));
        assert_eq!(error.message(), format!("status {status}: why "));
    }
}

#[tokio::test]
async fn authors_may_know_better_than_the_status() {
    let conflict = answering("HTTP/1.1 409 X\r\ncontent-length: 2\r\n\r\n{}").await;
    assert_eq!(class(&conflict).await, AttemptClass::Invalid);
    let error =
        client().get(&conflict).map_status(409, AttemptClass::Rejected).send().await.unwrap_err();
    assert_eq!((error.class(), error.status()), (AttemptClass::Rejected, Some(409)));
    let response = client().get(&conflict).accept_status(409).send().await.unwrap();
    assert_eq!((response.status(), &*response.text().await.unwrap()), (409, "{}"));
    assert_eq!(client().get(&conflict).send_any().await.unwrap().status(), 409);
}

#[tokio::test]
async fn status_decides_when_the_body_never_ends() {
    let url =
        answering("HTTP/1.1 429 X\r\nretry-after: 7\r\ncontent-length: 100\r\n\r\nslow down").await;
    let begun = Instant::now();
    let error = failure(&url).await;
    assert_eq!(
        (error.class(), error.retry_delay()),
        (AttemptClass::Rejected, Some(Duration::from_secs(7)))
    );
    assert_eq!(error.message(), "status 429: slow down");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let long = format!("HTTP/1.1 500 X\r\ncontent-length: 9000\r\n\r\n{}", "x".repeat(9_000));
    assert_eq!(
        failure(&answering(long.leak()).await).await.message().len(),
        "status 500: ".len() + 512
    );
}

#[tokio::test]
async fn response_is_ambiguous_when_its_body_cannot_be_read() {
    #[derive(Debug, serde::Deserialize)]
    struct Rates {
        #[expect(dead_code, reason = "only read for its errors")]
        rates: Vec<u32>,
    }
    let json = "HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\n{\"rates\":[1,\"two\"]}";
    let error = get(&answering(json).await).await.unwrap().json::<Rates>().await.unwrap_err();
    assert_eq!(error.class(), AttemptClass::Ambiguous);
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n{\"rates\":[1,\"two\"]}";
    let error = get(&answering(cut).await).await.unwrap().json::<Rates>().await.unwrap_err();
    assert!(error.message().starts_with("status 200: the body is not a valid `"), "{error}");
    assert!(error.message().contains("rates[1]: invalid type: string \"two\""), "{error}");
    let cut = server(async |mut stream| {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    })
    .await;
    let error = get(&cut).await.unwrap().json::<Rates>().await.unwrap_err();
    assert_eq!(error.class(), AttemptClass::Ambiguous);
    assert!(error.message().starts_with("status 200: the response was cut off"), "{error}");
}

#[tokio::test]
async fn answers_have_a_limit() {
    let settings = HttpClientSettings { max_response_bytes: 10, ..Default::default() };
    let client = HttpClient::new(&settings).unwrap();
    for (answer, class) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789", None),
        ("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n0123456789X", Some(AttemptClass::Ambiguous)),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n",
            None,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n56789X\r\n0\r\n\r\n",
            Some(AttemptClass::Ambiguous),
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\n0123456789X\r\n0\r\n\r\n",
            Some(AttemptClass::Ambiguous),
        ),
    ] {
        let body = client.get(answering(answer).await).send().await.unwrap().bytes().await;
        match (body, class) {
            (Ok(body), None) => assert_eq!(&*body, b"0123456789"),
            (Err(error), Some(class)) => assert_eq!(error.class(), class),
            (body, _) => panic!("{body:?} for {answer:?}"),
        }
    }
}

#[tokio::test]
async fn bodies_are_streamed() {
    let url =
        answering("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n").await;
    let pieces = get(&url).await.unwrap().chunks().map(Result::unwrap).collect::<Vec<_>>().await;
    assert_eq!(pieces.concat(), b"0123456789");
}

#[tokio::test]
async fn requests_are_written_as_they_were_built() {
    let (heads, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let url = server(move |mut stream| {
        let heads = heads.clone();
        async move {
            heads.send(read_head(&mut stream).await).unwrap();
            let mut body = [0; 7];
            stream.read_exact(&mut body).await.unwrap();
            heads.send(String::from_utf8(body.into()).unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let key = Secret::new("s&p");
    let request = client()
        .post(format!("{url}/latest"))
        .query(&[("base", "EUR")])
        .secret_query("access_key", &key);
    let request = request
        .header("x-trace", "1")
        .secret_header("x-key", &key)
        .bearer(&key)
        .form(&[("a", "b c")]);
    assert_eq!(format!("{request:?}"), "HttpRequest(..)");
    assert_eq!(request.body("text/plain", "a=b\r\nc ").send().await.unwrap().status(), 204);
    let head = seen.recv().await.unwrap();
    assert!(head.starts_with("POST /latest?base=EUR&access_key=s%26p HTTP/1.1\r\n"), "{head}");
    for line in
        ["x-trace: 1", "x-key: s&p", "authorization: Bearer s&p", "user-agent: gateway-runtime/"]
    {
        assert!(head.contains(line), "{line} in {head}");
    }
    assert_eq!(seen.recv().await.unwrap(), "a=b\r\nc ");
}

#[tokio::test]
async fn no_error_tells_a_secret_of_the_address() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let closes = server(async |mut stream| drop(read_head(&mut stream).await)).await;
    for url in [
        format!("http://{unused}"),
        closes,
        "http://nothing.invalid".to_owned(),
        "no address".to_owned(),
    ] {
        let request = client().get(&url).secret_query("access_key", &Secret::new("hunter2"));
        let error = request.send().await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_not_used() {
    let url = server(async |mut stream| {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    })
    .await;
    let client = client();
    for _ in 0..50 {
        let answer = client.get(&url).send().await;
        match answer {
            Ok(response) => drop(response.bytes().await.unwrap()),
            // The request may meet the end of the connection; it is known then that it was not
            // started.
            Err(error) => assert_eq!(error.class(), AttemptClass::NotSent, "{error}"),
        }
        // Once the runtime was idle, the client has seen that the server closed the connection.
        tokio::task::yield_now().await;
    }
}

/// A TLS server with a certificate of its own, and a client that trusts it.
async fn tls_server<F>(
    handle: impl Fn(h2::server::Connection<TlsStream, Bytes>) -> F + Send + Sync + Clone + 'static,
) -> Tls
where
    F: Future<Output = ()> + Send + 'static,
{
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let pem = certified.cert.pem();
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let key =
        PrivateKeyDer::from_pem_slice(certified.signing_key.serialize_pem().as_bytes()).unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let url = server(move |stream| {
        let (acceptor, handle) = (acceptor.clone(), handle.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                handle(h2::server::handshake(stream).await.unwrap()).await;
            }
        }
    })
    .await;
    let path = std::env::temp_dir().join(format!("gateway-authority-{:x}.pem", fastrand::u64(..)));
    std::fs::write(&path, pem).unwrap();
    let settings =
        HttpClientSettings { extra_authorities: Some(path.clone()), ..Default::default() };
    let client = HttpClient::new(&settings).unwrap();
    std::fs::remove_file(path).unwrap();
    Tls { url: url.replace("http://", "https://"), client }
}

type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

struct Tls {
    url: String,
    client: HttpClient,
}

#[tokio::test]
async fn extra_authorities_are_trusted_and_others_are_not() {
    let tls = tls_server(async |mut connection| {
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            let mut body = respond.send_response(http::Response::new(()), false).unwrap();
            body.send_data("hello".into(), true).unwrap();
        }
    })
    .await;
    let answer = tls.client.get(&tls.url).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "hello");
    assert_eq!(class(&tls.url).await, AttemptClass::NotSent, "nobody else trusts it");
}

#[tokio::test]
async fn streams_that_http2_refuses_were_not_sent() {
    let reset = |reason| {
        tls_server(move |mut connection| async move {
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                respond.send_reset(reason);
            }
        })
    };
    for (reason, class) in [
        (h2::Reason::REFUSED_STREAM, AttemptClass::NotSent),
        (h2::Reason::INTERNAL_ERROR, AttemptClass::Ambiguous),
        (h2::Reason::CANCEL, AttemptClass::Ambiguous),
    ] {
        let tls = reset(reason).await;
        let error = tls.client.post(&tls.url).send().await.unwrap_err();
        assert_eq!(error.class(), class, "{reason:?}: {error}");
    }
}

#[test]
fn extra_authorities_are_rejected_when_they_are_no_certificates() {
    let with = |path: &str| {
        let settings =
            HttpClientSettings { extra_authorities: Some(path.into()), ..Default::default() };
        HttpClient::new(&settings).unwrap_err().to_string()
    };
    assert!(
        with("/nonexistent.pem")
            .contains("`http_client.extra_authorities`: `/nonexistent.pem` is not a PEM file")
    );
    assert!(
        with(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).contains("it has no certificate")
    );
}

#[test]
fn settings_are_read_with_their_defaults() {
    let settings: HttpClientSettings =
        serde_json::from_str(r#"{"connect_timeout": "500ms"}"#).unwrap();
    assert_eq!((settings.connect_timeout.as_millis(), settings.max_response_bytes), (500, 8 << 20));
    assert_eq!(HttpClientSettings::default().connect_timeout, Duration::from_secs(2));
}
