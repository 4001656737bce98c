//! The provider's stand-in, which responds after 50 ms, and the forwarder.

use std::{
    error::Error,
    io::{self, Read},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::oneshot};

const DELAY: Duration = Duration::from_millis(50);
const ANSWER: &str = r#"{"accepted":5}"#;

type Failure = Box<dyn Error + Send + Sync>;

/// Reads the settings that the parent has written, up to a line `go`.
pub(crate) fn settings() -> io::Result<String> {
    let mut settings = String::new();
    for line in io::stdin().lines() {
        let line = line?;
        if line == "go" {
            break;
        }
        settings += &line;
        settings += "\n";
    }
    Ok(settings)
}

/// Responds to each request after 50 ms. A thread of its own provides the delay: timers of the
/// runtime have a resolution of a millisecond, so requests of the same millisecond would get their
/// responses together.
pub(crate) fn stand_in() -> Result<(), Box<dyn Error>> {
    settings()?;
    let (later, due) = mpsc::channel::<(Instant, oneshot::Sender<()>)>();
    thread::spawn(move || {
        for (at, answer) in due {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            let _ = answer.send(());
        }
    });
    serve(move |request: Request<Incoming>| {
        let later = later.clone();
        async move {
            request.into_body().collect().await?;
            let (answer, answered) = oneshot::channel();
            later.send((Instant::now() + DELAY, answer))?;
            answered.await?;
            Ok(json(Bytes::from_static(ANSWER.as_bytes())))
        }
    })
}

/// Forwards each request, and returns the response.
pub(crate) fn forward() -> Result<(), Box<dyn Error>> {
    let url = settings()?.trim().to_owned();
    // An error means that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    serve(move |request: Request<Incoming>| {
        let request = client
            .post(&url)
            .header("content-type", "application/json")
            .body(reqwest::Body::wrap(request.into_body()));
        async move { Ok(json(request.send().await?.bytes().await?)) }
    })
}

fn json(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}

/// Serves on one thread until standard input is closed.
#[expect(clippy::print_stdout, reason = "the parent reads the address there")]
fn serve<A, F>(answer: A) -> Result<(), Box<dyn Error>>
where
    A: Fn(Request<Incoming>) -> F + Clone + 'static,
    F: Future<Output = Result<Response<Full<Bytes>>, Failure>> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let end = tokio::task::spawn_blocking(|| io::stdin().read(&mut [0]));
        let accepting = async {
            loop {
                let (connection, _) = listener.accept().await?;
                connection.set_nodelay(true)?;
                let answer = answer.clone();
                let connection = http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), service_fn(answer));
                tokio::task::spawn_local(connection);
            }
        };
        tokio::select! {
            failed = accepting => failed,
            _ = end => Ok::<(), Box<dyn Error>>(()),
        }
    })
}
