//! Routes and upstreams that change while requests, streams and WebSockets are under way.

use std::{
    ffi::OsString,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use gateway_runtime::{Gateway, RunningGateway};
use tokio::{io::AsyncWriteExt, sync::Notify};

use super::{
    gateway::{Client, SECRETS, exchange},
    stub::{End, Stub, read_request},
};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A configuration file, and the gateway that follows it.
struct Configured {
    file: PathBuf,
    gateway: RunningGateway,
}

impl Configured {
    async fn start(sections: &str) -> Self {
        let name = format!("gateway-reload-{:08x}.toml", fastrand::u32(..));
        let file = std::env::temp_dir().join(name);
        write(&file, sections);
        let arguments = [OsString::from("--config"), file.clone().into()];
        let gateway = Gateway::from_arguments_over("", arguments).unwrap();
        Self { file, gateway: gateway.start().await.unwrap() }
    }

    /// Writes other sections, and reads them at once.
    fn change(&self, sections: &str) {
        write(&self.file, sections);
        self.gateway.reload();
    }

    async fn status(&self, path: &str) -> u16 {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        exchange(&self.gateway, &request).await.0.status()
    }

    async fn until(&self, path: &str, status: u16) {
        let end = Instant::now() + Duration::from_secs(10);
        while self.status(path).await != status {
            assert!(Instant::now() < end, "{path} becomes {status}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn stop(self) {
        self.gateway.stop().await.unwrap();
        std::fs::remove_file(self.file).unwrap();
    }
}

fn write(file: &PathBuf, sections: &str) {
    let text = format!(
        "{SECRETS}\n[http]\nlisten = \"127.0.0.1:0\"\nhosts = [\"a\"]\nworkers = 2\n{sections}"
    );
    let new = file.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, file).unwrap();
}

fn upstream(name: &str, stubs: &[&Stub]) -> String {
    let urls: Vec<_> = stubs.iter().map(|stub| format!("\"http://{}\"", stub.address)).collect();
    format!("[upstreams.{name}]\nurls = [{}]\n", urls.join(", "))
}

#[tokio::test]
async fn routes_and_upstreams_come_go_and_change() {
    let [one, other] = [Stub::start(OK, End::Open).await, Stub::start(OK, End::Open).await];
    let configured = Configured::start(&upstream("foo", &[&one])).await;
    assert_eq!((configured.status("/foo").await, configured.status("/bar").await), (200, 404));

    configured.change(&(upstream("foo", &[&other]) + &upstream("bar", &[&one])));
    configured.until("/bar", 200).await;
    let before = other.seen().len();
    assert_eq!(configured.status("/foo").await, 200);
    assert_eq!(other.seen().len(), before + 1, "the upstream has the other instance");

    configured.change(&upstream("bar", &[&one]));
    configured.until("/foo", 404).await;

    // A configuration that is invalid changes nothing.
    configured.change("[upstreams.bar]\nurls = [\"ftp://x\"]\n");
    configured.change(&(upstream("bar", &[&one]) + "[routes.baz]\ndispatch = \"htp\"\n"));
    configured.change(&(upstream("bar", &[&one]) + &upstream("late", &[&one])));
    configured.until("/late", 200).await;
    assert_eq!(configured.status("/bar").await, 200);
    configured.stop().await;
}

/// Starts an instance that sends the head of a stream, and its end when it is let go.
async fn streaming(go: &Arc<Notify>) -> Stub {
    let go = Arc::clone(go);
    Stub::serve(move |mut stream, seen| {
        let go = Arc::clone(&go);
        async move {
            while let Some(request) = read_request(&mut stream).await {
                let is_stream = request.contains("/stream");
                seen.lock().unwrap().push(request);
                let head = match is_stream {
                    true => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n",
                    false => OK,
                };
                stream.write_all(head.as_bytes()).await.ok();
                if is_stream {
                    go.notified().await;
                    stream.write_all(b"3\r\nend\r\n0\r\n\r\n").await.ok();
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_stream_outlives_the_route_and_the_upstream_that_it_began_on() {
    let go = Arc::new(Notify::new());
    let stub = streaming(&go).await;
    let configured = Configured::start(&upstream("foo", &[&stub])).await;
    let mut client = Client::to(&configured.gateway).await;
    client.send("GET /foo/stream HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.read_to("begin\r\n").await;
    configured.change(&upstream("bar", &[&stub]));
    configured.until("/foo", 404).await;
    go.notify_one();
    client.read_to("3\r\nend\r\n0\r\n\r\n").await;
    configured.stop().await;
}

#[tokio::test]
async fn no_request_fails_during_fifty_reloads() {
    let stubs = [Stub::start(OK, End::Open).await, Stub::start(OK, End::Open).await];
    let both = [&stubs[0], &stubs[1]];
    let configured = Arc::new(Configured::start(&upstream("foo", &both)).await);
    let (is_over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (configured, is_over, answered) =
                (Arc::clone(&configured), Arc::clone(&is_over), Arc::clone(&answered));
            tokio::spawn(async move {
                let mut client = Client::to(&configured.gateway).await;
                while !is_over.load(Relaxed) {
                    client.send("GET /foo/x HTTP/1.1\r\nHost: a\r\n\r\n").await;
                    let answer = client.read_to("\r\n\r\nok").await;
                    assert_eq!(answer.status(), 200);
                    answered.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    for round in 0..50 {
        let instances = &both[..1 + round % 2];
        let marker = format!("round{round}");
        configured.change(&(upstream("foo", instances) + &upstream(&marker, &both)));
        configured.until(&format!("/{marker}"), 200).await;
    }
    is_over.store(true, Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    assert!(answered.load(Relaxed) > 100);
    Arc::into_inner(configured).unwrap().stop().await;
}
