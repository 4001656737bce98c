//! Replies in Redis: found by every gateway, and produced without it while it is unavailable.

use std::sync::Arc;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

use super::newsstand::{Street, until};

/// Returns the section `[redis]` with keys of this test's own; `None` if there is no server.
fn redis(url: Option<String>) -> Option<String> {
    let Ok(server) = std::env::var("TEST_REDIS_URL") else {
        eprintln!("not run: TEST_REDIS_URL names no server");
        return None;
    };
    let prefix = format!("newsstand-{}-{}", std::process::id(), own_number());
    let url = url.unwrap_or(server);
    Some(format!("redis = {{ url = '{url}', prefix = '{prefix}', timeout = '200ms' }}"))
}

/// Returns a number that no other test of this process has.
fn own_number() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

#[tokio::test]
async fn gateways_share_their_answers() {
    let Some(settings) = redis(None) else { return };
    let one = Street::open(&settings).await;
    let other = Street::open_on(&settings, Arc::clone(&one.day)).await;
    assert_eq!(one.get("news", "name=a").await.status, "fwd=miss; stored; ttl=60");
    let paper = other.get("news", "name=a").await;
    assert_eq!((&*paper.text, &*paper.status), ("\"1\"", "hit; ttl=60"));
    assert_eq!(other.call(Some("acme"), "news", "name=a", "").await.text, "\"2\"");
    assert_eq!(one.call(Some("acme"), "news", "name=a", "").await.text, "\"2\"");
    assert_eq!(one.call(Some("umbrella"), "news", "name=a", "").await.text, "\"3\"");
}

#[tokio::test]
async fn memory_and_redis_can_be_used_together() {
    let Some(settings) = redis(None) else { return };
    let street = Street::open(&format!("{settings}\ncache = {{ backend = 'memory' }}")).await;
    street.get("news", "name=a").await;
    assert_eq!(street.figures().holding.entries, 1);
}

#[tokio::test]
async fn calls_are_executed_while_redis_is_unavailable() {
    let (freeze, frozen) = watch::channel(false);
    let Some(settings) = redis(Some(freezer(frozen).await)) else { return };
    let street = Street::open(&settings).await;
    assert_eq!(street.get("news", "name=a").await.status, "fwd=miss; stored; ttl=60");
    assert_eq!(street.get("news", "name=a").await.status, "hit; ttl=60");
    freeze.send(true).unwrap();
    let begun = std::time::Instant::now();
    for made in 2..=20 {
        let paper = street.get("news", "name=a").await;
        assert_eq!((&*paper.text, &*paper.status), (&*format!("\"{made}\""), "fwd=miss"));
    }
    assert!(begun.elapsed().as_secs() < 5, "only the first waits for it: {:?}", begun.elapsed());
    assert!(street.figures().holding.failures > 0);
    freeze.send(false).unwrap();
    until(async || street.get("news", "name=a").await, |paper| paper.status.starts_with("hit"))
        .await;
}

/// Starts a proxy to the server that can be frozen, and returns its URL; a frozen proxy holds what
/// is sent into it.
async fn freezer(frozen: watch::Receiver<bool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::env::var("TEST_REDIS_URL").unwrap_or_default();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, server.clone(), frozen.clone()));
        }
    });
    format!("redis://{address}")
}

/// Copies bytes in both directions, one message at a time, except while the proxy is frozen.
async fn carry(client: TcpStream, server: String, mut frozen: watch::Receiver<bool>) {
    async fn through<C, S>(mut client: C, mut server: S, frozen: &mut watch::Receiver<bool>)
    where
        C: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let is_over = async {
            // A copy that is dropped in the middle loses bytes, and with them the connection, like
            // a lost server.
            let _ = frozen.wait_for(|frozen| *frozen).await;
        };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => {}
            () = is_over => {
                let _ = frozen.wait_for(|frozen| !*frozen).await;
            }
        }
    }
    let _ = frozen.wait_for(|frozen| !*frozen).await;
    match server.split_once("://") {
        Some(("redis+unix", path)) => {
            through(client, UnixStream::connect(path).await.unwrap(), &mut frozen).await
        }
        Some((_, address)) => {
            let address = address.split('/').next().unwrap_or_default();
            through(client, TcpStream::connect(address).await.unwrap(), &mut frozen).await;
        }
        None => {}
    }
}
