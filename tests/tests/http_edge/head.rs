//! HEAD over HTTP/2: the fields of GET and no body, for every kind of response.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Empty};
use hyper::{
    body::{Body as _, Incoming},
    client::conn::http2::SendRequest,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, time::timeout};

use super::{compression::house, gateway::Gateway, services::Ticket};

struct Client {
    address: SocketAddr,
    sender: SendRequest<Empty<Bytes>>,
}

impl Client {
    async fn to(address: SocketAddr) -> Self {
        let socket = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await.unwrap();
        tokio::spawn(connection);
        Self { address, sender }
    }

    async fn ask(&mut self, method: Method, path: &str, coding: &str) -> Response<Incoming> {
        let request =
            Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        let request = request.header(header::ACCEPT_ENCODING, coding).body(Empty::new()).unwrap();
        timeout(Duration::from_secs(10), self.sender.send_request(request)).await.unwrap().unwrap()
    }

    /// Sends HEAD, whose response must end with its head.
    async fn head(&mut self, path: &str, coding: &str) -> Response<()> {
        let (head, mut body) = self.ask(Method::HEAD, path, coding).await.into_parts();
        assert!(body.is_end_stream(), "{path}: END_STREAM is in HEADERS");
        assert!(body.frame().await.is_none(), "{path}");
        Response::from_parts(head, ())
    }

    async fn compare(&mut self, path: &str, status: u16) {
        for coding in ["identity", "gzip"] {
            let head = self.head(path, coding).await;
            let get = self.ask(Method::GET, path, coding).await;
            assert_eq!((head.status().as_u16(), get.status().as_u16()), (status, status), "{path}");
            for field in [
                header::CONTENT_TYPE,
                header::CONTENT_ENCODING,
                header::VARY,
                header::ETAG,
                header::ALLOW,
            ] {
                assert_eq!(head.headers().get(&field), get.headers().get(&field), "{path} {field}");
            }
            let length = get.headers().get(header::CONTENT_LENGTH);
            // The id of a problem and the values of metrics differ each time.
            if status == 200 && !path.starts_with("/metrics") {
                assert_eq!(head.headers().get(header::CONTENT_LENGTH), length, "{path} {coding}");
            }
            assert_eq!(
                head.headers().contains_key(header::CONTENT_LENGTH),
                length.is_some(),
                "{path} {coding}"
            );
            get.into_body().collect().await.unwrap();
        }
    }
}

#[tokio::test]
async fn over_http2_head_has_the_fields_of_get_and_no_body() {
    let gateway = Gateway::start().await;
    let mut client = Client::to(gateway.address).await;
    for (path, status) in [
        ("/services/edge/v1/sum?terms=1", 200),
        ("/services/edge/v1/sum?terms=x", 400),
        ("/services/edge/v1/table", 200),
        ("/services/edge/v1/bytes?name=whole", 200),
        ("/services/library/v1/read?pages=50", 200),
        ("/services/library/v1/read?pages=5000", 200),
        ("/services/edge/v1/note", 405),
        ("/problems", 200),
        ("/nothing", 404),
    ] {
        client.compare(path, status).await;
    }
    let (running, folder) = house("head").await;
    let mut client = Client::to(running.address()).await;
    for path in ["/meta", "/openapi.json", "/docs"] {
        client.compare(path, 200).await;
    }
    let mut operator = Client::to(running.admin_address().unwrap()).await;
    for (path, status) in
        [("/healthz", 200), ("/metrics", 200), ("/openapi.json", 200), ("/admin/nothing", 404)]
    {
        operator.compare(path, status).await;
    }
    assert_eq!(operator.head("/admin/providers", "identity").await.status(), 200);
    running.stop().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn over_http2_head_drops_a_stream_that_has_not_run() {
    let gateway = Gateway::start().await;
    let mut client = Client::to(gateway.address).await;
    for (place, coding) in ["identity", "gzip", "br"].into_iter().enumerate() {
        for method in ["flood?", "count?count=2&"] {
            let name = format!("head-{place}-{}", &method[..5]);
            let head = client.head(&format!("/services/edge/v1/{method}name={name}"), coding).await;
            assert_eq!(
                (head.status().as_u16(), &head.headers()["content-type"]),
                (200, &"text/event-stream".parse().unwrap())
            );
            // A running stream would be endless, or wait for a release.
            let state = Ticket::named(&name).until(|state| state.dropped == 1).await;
            assert_eq!(state.begun, 1);
        }
    }
    // The connection still works.
    assert_eq!(client.head("/services/edge/v1/sum", "identity").await.status(), 200);
}
