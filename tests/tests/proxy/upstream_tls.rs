//! TLS to instances: the protocol that is chosen, and whose certificates are accepted.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use gateway_runtime::Gateway;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::{
    failures::{GET, code},
    gateway::{Client, configuration, exchange, start_at},
    stub::{Stub, read_request},
    upstream_http2::stub::{Limits, answer, serve},
};

/// An authority, with the file of its certificate.
struct Ca {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Ca {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let name = format!("gateway-upstream-ca-{:x}.pem", fastrand::u64(..));
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, certificate.pem()).unwrap();
        Self { issuer: Issuer::new(params, key), file }
    }

    /// Returns the configuration of a server whose certificate has these names.
    fn server(&self, names: &[&str], alpn: &[&str], is_expired: bool) -> Arc<ServerConfig> {
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut params = CertificateParams::new(names).unwrap();
        if is_expired {
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth();
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let mut config = config.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// Returns the lines of an upstream that trusts the authority.
    fn trusted(&self, more: &str) -> String {
        format!("{more}\n[upstreams.foo.tls]\nca = \"{}\"\n", self.file.display())
    }
}

impl Drop for Ca {
    fn drop(&mut self) {
        std::fs::remove_file(&self.file).ok();
    }
}

/// An instance with TLS that speaks both protocols.
struct TlsStub {
    address: SocketAddr,
    /// Handshakes that the gateway has completed.
    accepted: Arc<AtomicUsize>,
    stub: Stub,
}

impl TlsStub {
    async fn start(config: Arc<ServerConfig>) -> Self {
        let accepted = Arc::<AtomicUsize>::default();
        let handshakes = Arc::clone(&accepted);
        let stub = Stub::serve(move |stream, seen| {
            let acceptor = TlsAcceptor::from(Arc::clone(&config));
            let handshakes = Arc::clone(&handshakes);
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                handshakes.fetch_add(1, SeqCst);
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    return serve(stream, Limits::default(), |request, respond| {
                        let line = format!("{} {:?}", request.uri(), request.version());
                        seen.lock().unwrap().push(line);
                        async { answer(respond, "ok") }
                    })
                    .await;
                }
                while let Some(request) = read_request(&mut stream).await {
                    let switches = request.contains("upgrade: websocket");
                    seen.lock().unwrap().push(request);
                    if switches {
                        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
                                    Upgrade: websocket\r\n\r\n";
                        stream.write_all(head.as_bytes()).await.unwrap();
                        let mut byte = [0];
                        stream.read_exact(&mut byte).await.unwrap();
                        stream.write_all(&byte).await.unwrap();
                        return;
                    }
                    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                    stream.write_all(response).await.unwrap();
                }
            }
        })
        .await;
        Self { address: stub.address, accepted, stub }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.address.port())
    }
}

#[tokio::test]
async fn the_instance_chooses_the_protocol_and_the_setting_restricts_it() {
    let ca = Ca::new();
    for (alpn, protocol, version) in [
        (&["h2", "http/1.1"][..], "auto", Some("HTTP/2.0")),
        (&["http/1.1"], "auto", Some("HTTP/1.1")),
        (&[], "auto", Some("HTTP/1.1")),
        (&["h2", "http/1.1"], "http1", Some("HTTP/1.1")),
        (&["h2", "http/1.1"], "http2", Some("HTTP/2.0")),
        (&["http/1.1"], "http2", None),
        (&[], "http2", None),
        (&["h2"], "http1", None),
    ] {
        let stub = TlsStub::start(ca.server(&["localhost"], alpn, false)).await;
        let more = ca.trusted(&format!("protocol = \"{protocol}\""));
        let gateway = start_at(&[stub.url("localhost")], &more).await;
        for _ in 0..3 {
            let (answer, _) = exchange(&gateway, GET).await;
            match version {
                Some(_) => assert_eq!((answer.status(), answer.body()), (200, &b"ok"[..])),
                None => assert_eq!(code(&answer), "upstream-unreachable", "{alpn:?} {protocol}"),
            }
        }
        let seen = stub.stub.seen();
        let Some(version) = version else {
            assert_eq!(seen, <[String; 0]>::default());
            continue;
        };
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|request| request.contains(version)), "{protocol} {seen:?}");
        assert_eq!(stub.accepted.load(SeqCst), 1, "the connection is used again");
        if version == "HTTP/2.0" {
            let uri = format!("https://localhost:{}/x ", stub.address.port());
            assert!(seen[0].starts_with(&uri), "{seen:?}");
        }
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn requests_that_come_at_once_share_the_first_connection() {
    let ca = Ca::new();
    for (alpn, connections) in [(&["h2"][..], 1..=1), (&["http/1.1"], 1..=20)] {
        let stub = TlsStub::start(ca.server(&["localhost"], alpn, false)).await;
        let gateway = start_at(&[stub.url("localhost")], &ca.trusted("")).await;
        let answers =
            futures_util::future::join_all((0..20).map(|_| exchange(&gateway, GET))).await;
        assert!(answers.iter().all(|(answer, _)| answer.status() == 200));
        assert!(connections.contains(&stub.accepted.load(SeqCst)), "{alpn:?}");
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn only_a_certificate_of_the_instance_is_accepted() {
    let (ca, other) = (Ca::new(), Ca::new());
    for (what, server, host, tls, is_accepted) in [
        ("its name", ca.server(&["localhost"], &["h2"], false), "localhost", "", true),
        ("its address", ca.server(&["127.0.0.1"], &["h2"], false), "127.0.0.1", "", true),
        ("another name", ca.server(&["example.org"], &["h2"], false), "localhost", "", false),
        ("another address", ca.server(&["127.0.0.2"], &["h2"], false), "127.0.0.1", "", false),
        (
            "a name for an address",
            ca.server(&["localhost"], &["h2"], false),
            "127.0.0.1",
            "",
            false,
        ),
        ("expired", ca.server(&["localhost"], &["h2"], true), "localhost", "", false),
        ("unknown authority", other.server(&["localhost"], &["h2"], false), "localhost", "", false),
        (
            "the name of the settings",
            ca.server(&["internal.example"], &["h2"], false),
            "127.0.0.1",
            "server_name = \"internal.example\"",
            true,
        ),
        (
            "not the name of the settings",
            ca.server(&["localhost"], &["h2"], false),
            "localhost",
            "server_name = \"internal.example\"",
            false,
        ),
    ] {
        let stub = TlsStub::start(server).await;
        let more = format!("{}{tls}\n", ca.trusted(""));
        let gateway = start_at(&[stub.url(host)], &more).await;
        let (answer, _) = exchange(&gateway, GET).await;
        if is_accepted {
            assert_eq!((answer.status(), answer.body()), (200, &b"ok"[..]), "{what}");
        } else {
            assert_eq!(code(&answer), "upstream-unreachable", "{what}");
            assert_eq!(stub.stub.seen(), <[String; 0]>::default(), "{what}");
        }
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn the_roots_of_the_system_do_not_verify_a_private_authority() {
    let ca = Ca::new();
    let stub = TlsStub::start(ca.server(&["localhost"], &["h2"], false)).await;
    let text = configuration("", &[stub.url("localhost")], "");
    let gateway = match Gateway::from_toml(&text).unwrap().start().await {
        Ok(gateway) => gateway,
        // A machine without roots.
        Err(error) => return assert!(error.to_string().contains("`tls.ca`"), "{error}"),
    };
    let (answer, _) = exchange(&gateway, GET).await;
    assert_eq!(code(&answer), "upstream-unreachable");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn an_instance_with_a_bad_certificate_is_left_for_another() {
    let ca = Ca::new();
    let bad = TlsStub::start(ca.server(&["example.org"], &["h2"], false)).await;
    let good = TlsStub::start(ca.server(&["localhost"], &["h2"], false)).await;
    let urls = [bad.url("localhost"), good.url("localhost")];
    let gateway = start_at(&urls, &ca.trusted("")).await;
    for _ in 0..10 {
        assert_eq!(exchange(&gateway, GET).await.0.status(), 200);
    }
    assert_eq!((bad.stub.seen().len(), good.stub.seen().len()), (0, 10));
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_websocket_goes_over_http1_where_requests_go_over_http2() {
    let ca = Ca::new();
    let stub = TlsStub::start(ca.server(&["localhost"], &["h2", "http/1.1"], false)).await;
    let gateway = start_at(&[stub.url("localhost")], &ca.trusted("")).await;
    assert_eq!(exchange(&gateway, GET).await.0.status(), 200);
    let mut client = Client::to(&gateway).await;
    client
        .send(
            "GET /foo/ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
    assert_eq!(client.read_to("\r\n\r\n").await.status(), 101);
    client.send("x").await;
    assert_eq!(client.0.read_u8().await.unwrap(), b'x');
    assert_eq!(exchange(&gateway, GET).await.0.status(), 200);
    let seen = stub.stub.seen();
    let versions = seen.iter().map(|request| request.contains("HTTP/2.0")).collect::<Vec<_>>();
    assert_eq!(versions, [true, false, true], "{seen:?}");
    assert_eq!(stub.accepted.load(SeqCst), 2);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn settings_that_cannot_be_used_stop_the_start() {
    let no_certificate = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let no_certificate = format!("[upstreams.foo.tls]\nca = \"{}\"", no_certificate.display());
    for (url, more, reason) in [
        (
            "https://a",
            "[upstreams.foo.tls]\nca = \"/nonexistent.pem\"",
            "`/nonexistent.pem` is not a PEM file",
        ),
        ("https://a", &*no_certificate, "it has no certificate"),
        ("https://a", "[upstreams.foo.tls]\nserver_name = \"a b\"", "`a b` is not a server name"),
        ("ftp://a", "", "neither the scheme `http` nor `https`"),
        ("http://a", "protocol = \"h3\"", "must be one of \"auto\", \"http1\", \"http2\""),
    ] {
        let text = configuration("", &[url.to_owned()], more);
        let error = match Gateway::from_toml(&text) {
            Ok(gateway) => gateway.start().await.err().unwrap().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(reason), "{error}");
    }
}
