//! Binding, workers, and exhausted descriptors.

use std::{
    collections::HashSet,
    io::{Read, Seek},
    thread,
};

use gateway_runtime::http::{Body, Peer, Server};
use http::{Request, Response};
use hyper::body::Incoming;

use super::support::{Client, config, says, start};

#[tokio::test]
async fn used_port_is_reported_as_in_use() {
    let server = start(says("first"), |config| config.workers = std::num::NonZero::new(2));
    for workers in [1, 2] {
        // The first has SO_REUSEPORT set, and the second must still not share its port.
        let error = Server::bind(&config(|config| {
            (config.listen, config.workers) = (server.address, std::num::NonZero::new(workers))
        }))
        .unwrap_err();
        let expected = format!(
            "cannot listen on {}: another program listens on port {}",
            server.address,
            server.address.port()
        );
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

#[test]
fn an_address_of_another_machine_is_refused() {
    let error =
        Server::bind(&config(|config| config.listen = ([192, 0, 2, 1], 0).into())).unwrap_err();
    assert!(error.to_string().contains("this machine has no address 192.0.2.1"), "{error}");
}

#[tokio::test]
async fn connections_spread_over_the_workers() {
    let handler = |_: Request<Incoming>, _: Peer| async {
        Response::new(Body::from(thread::current().name().unwrap_or_default().to_owned()))
    };
    let server = start(handler, |config| config.workers = std::num::NonZero::new(3));
    assert_ne!(server.address.port(), 0);
    let mut workers = HashSet::new();
    for _ in 0..60 {
        workers.insert(server.connect().await.get("/").await.text().to_owned());
    }
    assert_eq!(workers.len(), 3, "{workers:?}");
}

#[tokio::test]
async fn a_dropped_server_ends() {
    let server = Server::bind(&config(|_| {})).unwrap();
    let address = server.local_addr();
    let served = tokio::spawn(server.serve(says("hi"), std::future::pending()));
    let mut client = Client::connect(address).await;
    assert_eq!(client.get("/").await.text(), "hi");
    served.abort();
    client.closed().await;
}

#[test]
fn a_server_serves_on_a_multi_threaded_runtime_too() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = start(says("hi"), |_| {});
        assert_eq!(server.connect().await.get("/").await.text(), "hi");
        let _ = server.stop().await;
    });
}

/// Needs a process of its own, because it uses up all descriptors.
#[cfg(target_os = "linux")]
#[test]
fn running_out_of_descriptors_is_survived_without_spinning() {
    const CHILD: &str = "GATEWAY_TEST_FEW_DESCRIPTORS";
    if std::env::var_os(CHILD).is_none() {
        let this = std::env::current_exe().unwrap();
        let status = std::process::Command::new("sh")
            .args([
                "-c",
                "ulimit -n 64 && exec \"$0\" --exact \
                http_server::listening::running_out_of_descriptors_is_survived_without_spinning",
            ])
            .arg(this)
            .env(CHILD, "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = start(says("hi"), |_| {});
        server.connect().await.get("/").await; // its worker has all it needs
        let stat = std::fs::File::open("/proc/self/stat").unwrap();
        let mut clients = Vec::new();
        // Each client costs this process two descriptors, its own and the server's, until none are
        // left.
        while let Ok(stream) = std::net::TcpStream::connect(server.address) {
            clients.push(stream);
        }
        assert!(clients.len() > 20, "{}", clients.len());
        let before = cpu_ticks(&stat);
        tokio::time::sleep(super::support::ms(500)).await;
        let spent = cpu_ticks(&stat) - before;
        assert!(spent < 15, "spun for {spent} of 50 ticks");
        clients.truncate(10);
        assert_eq!(server.connect().await.get("/").await.text(), "hi");
    });
}

/// Returns the CPU time of this process in hundredths of a second.
#[cfg(target_os = "linux")]
fn cpu_ticks(mut stat: &std::fs::File) -> u64 {
    let mut text = String::new();
    stat.rewind().unwrap();
    stat.read_to_string(&mut text).unwrap();
    let fields: Vec<_> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
