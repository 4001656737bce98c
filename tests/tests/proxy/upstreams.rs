//! The choice of an instance, its health, and the places at it.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use gateway_runtime::{
    Gateway, RunningGateway,
    resolver::{Endpoint, Resolver, Snapshot},
};
use tokio::{
    io::AsyncWriteExt,
    sync::{Notify, watch},
};

use super::{
    gateway::{Answer, Client, SECRETS, exchange, start},
    stub::{End, Stub, read_request},
};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const GET: &str = "GET /foo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const POST: &str =
    "POST /foo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
const SOON: Duration = Duration::from_secs(10);

fn code(answer: &Answer) -> String {
    let problem: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    problem["code"].as_str().unwrap().to_owned()
}

async fn status(gateway: &RunningGateway, request: &str) -> u16 {
    exchange(gateway, request).await.0.status()
}

/// Starts an instance that answers while `is_well`, and otherwise closes each connection without an
/// answer.
async fn flickering(is_well: &Arc<AtomicBool>) -> Stub {
    let is_well = Arc::clone(is_well);
    Stub::serve(move |mut stream, seen| {
        let is_well = Arc::clone(&is_well);
        async move {
            while let Some(request) = read_request(&mut stream).await {
                seen.lock().unwrap().push(request);
                if !is_well.load(Relaxed) {
                    return;
                }
                stream.write_all(OK.as_bytes()).await.ok();
            }
        }
    })
    .await
}

/// Sends GETs until the condition holds.
async fn until(gateway: &RunningGateway, what: &str, is_so: impl Fn(u16) -> bool) {
    let end = Instant::now() + SOON;
    while !is_so(status(gateway, GET).await) {
        assert!(Instant::now() < end, "{what}");
    }
}

fn weighted(instances: &[(&Stub, u16)], more: &str) -> Gateway {
    let urls: Vec<_> = instances
        .iter()
        .map(|(stub, weight)| format!("{{ url = \"http://{}\", weight = {weight} }}", stub.address))
        .collect();
    let text = format!(
        "{SECRETS}\n[http]\nlisten = \"127.0.0.1:0\"\nhosts = [\"a\"]\nworkers = 2\n\
         [upstreams.foo]\nurls = [{}]\n{more}",
        urls.join(", ")
    );
    Gateway::from_toml(&text).unwrap()
}

#[tokio::test]
async fn round_robin_gives_each_instance_its_weight() {
    let (heavy, light) = (Stub::start(OK, End::Open).await, Stub::start(OK, End::Open).await);
    let gateway = weighted(&[(&heavy, 3), (&light, 1)], "balance = \"round-robin\"");
    let gateway = gateway.start().await.unwrap();
    for _ in 0..40 {
        assert_eq!(status(&gateway, GET).await, 200);
    }
    assert_eq!((heavy.seen().len(), light.seen().len()), (30, 10));
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn two_choices_draw_by_weight() {
    let (heavy, light) = (Stub::start(OK, End::Open).await, Stub::start(OK, End::Open).await);
    let gateway = weighted(&[(&heavy, 9), (&light, 1)], "").start().await.unwrap();
    for _ in 0..100 {
        assert_eq!(status(&gateway, GET).await, 200);
    }
    // Of 100 draws at 9 to 1, fewer than 70 are as likely as 1 in 10^8.
    assert!(heavy.seen().len() > 70, "{} and {}", heavy.seen().len(), light.seen().len());
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn the_same_value_of_the_hash_header_goes_to_the_same_instance() {
    let stubs = [(); 4].map(|()| Stub::start(OK, End::Open));
    let stubs = futures_util::future::join_all(stubs).await;
    let settings = "balance = \"hash\"\nhash_header = \"x-user\"";
    let addresses: Vec<_> = stubs.iter().map(|stub| stub.address).collect();
    let gateway = start(&addresses, settings).await;
    let fewer = start(&addresses[1..], settings).await;
    let mut used = HashSet::new();
    for user in 0..40 {
        let request = format!(
            "GET /foo/{user} HTTP/1.1\r\nHost: a\r\nX-User: {user}\r\nConnection: close\r\n\r\n"
        );
        for gateway in [&gateway, &gateway, &fewer] {
            assert_eq!(status(gateway, &request).await, 200);
        }
        let line = format!("GET /{user} ");
        let counts: Vec<_> = stubs
            .iter()
            .map(|stub| stub.seen().iter().filter(|seen| seen.starts_with(&line)).count())
            .collect();
        let home = counts.iter().position(|count| *count >= 2).expect("one instance got both");
        // When the first instance leaves, only its own values move.
        assert_eq!(counts[home], if home == 0 { 2 } else { 3 }, "{counts:?}");
        used.insert(home);
    }
    assert_eq!(used.len(), 4, "the values are spread");
    gateway.stop().await.unwrap();
    fewer.stop().await.unwrap();
}

#[tokio::test]
async fn an_instance_that_is_busy_gets_no_more_than_the_idle_one() {
    let busy = Stub::serve(|mut stream, seen| async move {
        let request = read_request(&mut stream).await;
        seen.lock().unwrap().extend(request);
        std::future::pending::<()>().await;
    })
    .await;
    let idle = Stub::start(OK, End::Open).await;
    let gateway = start(&[busy.address, idle.address], "").await;
    let mut waiting = Vec::new();
    for sent in 1..=40 {
        let mut client = Client::to(&gateway).await;
        client.send(GET).await;
        let end = Instant::now() + SOON;
        while busy.seen().len() + idle.seen().len() < sent {
            assert!(Instant::now() < end, "it reached an instance");
            tokio::task::yield_now().await;
        }
        match busy.seen().len() > waiting.len() {
            true => waiting.push(client),
            false => assert_eq!(client.read_all().await.0.status(), 200),
        }
    }
    assert!(busy.seen().len() <= 1, "{}", busy.seen().len());
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_get_that_an_instance_cut_goes_to_another_and_a_post_does_not() {
    let ill = flickering(&Arc::new(AtomicBool::new(false))).await;
    let well = Stub::start(OK, End::Open).await;
    let gateway = start(&[ill.address, well.address], "fails = 1000").await;
    for _ in 0..20 {
        assert_eq!(status(&gateway, GET).await, 200);
    }
    assert!(!ill.seen().is_empty() && well.seen().len() == 20);

    let (asked, mut cut) = (ill.seen().len(), 0);
    for _ in 0..20 {
        let (answer, _) = exchange(&gateway, POST).await;
        if answer.status() != 200 {
            assert_eq!((answer.status(), &*code(&answer)), (502, "upstream-failed"));
            cut += 1;
        }
    }
    assert_eq!(ill.seen().len() - asked, cut, "each was asked once");
    assert!(cut > 0);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn failures_in_a_row_eject_an_instance_and_a_response_restores_it() {
    let is_well = Arc::new(AtomicBool::new(false));
    let ill = flickering(&is_well).await;
    let well = Stub::start(OK, End::Open).await;
    let gateway = start(&[ill.address, well.address], "fails = 2\neject_time = \"300ms\"").await;
    until(&gateway, "it was asked twice", |status| {
        assert_eq!(status, 200);
        ill.seen().len() == 2
    })
    .await;
    let ejected = Instant::now();
    for _ in 0..20 {
        assert_eq!(status(&gateway, GET).await, 200);
    }
    if ejected.elapsed() < Duration::from_millis(300) {
        assert_eq!(ill.seen().len(), 2, "an ejected instance gets no requests");
    }
    until(&gateway, "it is tried again", |_| ill.seen().len() == 3).await;
    is_well.store(true, Relaxed);
    until(&gateway, "it is back", |_| ill.seen().len() > 20).await;
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn when_all_are_ejected_all_are_used() {
    let is_well = Arc::new(AtomicBool::new(false));
    let stubs = [flickering(&is_well).await, flickering(&is_well).await];
    let addresses = stubs.each_ref().map(|stub| stub.address);
    let settings = "fails = 1\neject_time = \"1h\"\nmax_ejected_percent = 100";
    let gateway = start(&addresses, settings).await;
    let (answer, _) = exchange(&gateway, GET).await;
    assert_eq!((answer.status(), &*code(&answer)), (502, "upstream-failed"));
    assert!(stubs.iter().all(|stub| stub.seen().len() == 1), "each was asked once");
    is_well.store(true, Relaxed);
    assert_eq!(status(&gateway, GET).await, 200);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn no_more_than_the_highest_share_is_ejected() {
    let is_well = Arc::new(AtomicBool::new(false));
    let ill = [flickering(&is_well).await, flickering(&is_well).await];
    let well = Stub::start(OK, End::Open).await;
    let settings = "fails = 1\neject_time = \"1h\"\nmax_ejected_percent = 34";
    let gateway = start(&[ill[0].address, ill[1].address, well.address], settings).await;
    for _ in 0..60 {
        assert_eq!(status(&gateway, GET).await, 200);
    }
    let mut asked = ill.each_ref().map(|stub| stub.seen().len());
    asked.sort_unstable();
    assert!(asked[0] == 1 && asked[1] > 5, "one of three is ejected: {asked:?}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_status_can_count_as_a_failure() {
    let busy = Stub::start("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", End::Open).await;
    let well = Stub::start(OK, End::Open).await;
    let settings = "fails = 2\nfail_statuses = [503]\neject_time = \"1h\"";
    let gateway = start(&[busy.address, well.address], settings).await;
    let mut statuses = Vec::new();
    for _ in 0..60 {
        statuses.push(status(&gateway, GET).await);
    }
    assert_eq!(busy.seen().len(), 2);
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 2, "each is forwarded");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn an_instance_whose_checks_fail_gets_no_requests_until_they_pass() {
    let is_well = Arc::new(AtomicBool::new(true));
    let checked = Arc::new(AtomicUsize::new(0));
    let (health, checks) = (Arc::clone(&is_well), Arc::clone(&checked));
    let one = Stub::serve(move |mut stream, seen| {
        let (health, checks) = (Arc::clone(&health), Arc::clone(&checks));
        async move {
            while let Some(request) = read_request(&mut stream).await {
                let is_check = request.starts_with("GET /health?deep=1 HTTP/1.1\r\n");
                checks.fetch_add(usize::from(is_check), Relaxed);
                let answer = match is_check && !health.load(Relaxed) {
                    true => "HTTP/1.1 500 Ill\r\nContent-Length: 0\r\n\r\n",
                    false => OK,
                };
                if !is_check {
                    seen.lock().unwrap().push(request);
                }
                stream.write_all(answer.as_bytes()).await.ok();
            }
        }
    })
    .await;
    let other = Stub::start(OK, End::Open).await;
    let check = "check = { path = \"/health?deep=1\", interval = \"10ms\", fails = 2, passes = 2 }";
    let gateway = start(&[one.address, other.address], check).await;
    until(&gateway, "both are used", |_| !one.seen().is_empty()).await;

    is_well.store(false, Relaxed);
    // A row of 30 requests without one for it: by chance, 1 in 10^9.
    let row = AtomicUsize::new(0);
    let before = AtomicUsize::new(one.seen().len());
    until(&gateway, "it is left out", |status| {
        assert_eq!(status, 200);
        let now = one.seen().len();
        let is_same = before.swap(now, Relaxed) == now;
        row.store(if is_same { row.load(Relaxed) + 1 } else { 0 }, Relaxed);
        row.load(Relaxed) == 30
    })
    .await;
    assert!(checked.load(Relaxed) >= 2);
    is_well.store(true, Relaxed);
    let left_out = one.seen().len();
    until(&gateway, "it is back", |_| one.seen().len() > left_out).await;
    gateway.stop().await.unwrap();
}

/// Starts an instance that answers a request when it is let go.
async fn held(go: &Arc<Notify>) -> Stub {
    let go = Arc::clone(go);
    Stub::serve(move |mut stream, seen| {
        let go = Arc::clone(&go);
        async move {
            while let Some(request) = read_request(&mut stream).await {
                seen.lock().unwrap().push(request);
                go.notified().await;
                stream.write_all(OK.as_bytes()).await.ok();
            }
        }
    })
    .await
}

async fn reached(stub: &Stub, count: usize) {
    let end = Instant::now() + SOON;
    while stub.seen().len() < count {
        assert!(Instant::now() < end, "{count} requests reached the instance");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn requests_wait_for_a_place_and_are_shed_beyond_the_limit() {
    let go = Arc::new(Notify::new());
    let stub = held(&go).await;
    let gateway = start(&[stub.address], "max_requests = 1\nmax_waiting = 1").await;
    let [mut first, mut second] = [Client::to(&gateway).await, Client::to(&gateway).await];
    first.send(GET).await;
    reached(&stub, 1).await;
    second.send(GET).await;
    // It waits once a third one is shed.
    let end = Instant::now() + SOON;
    loop {
        let mut third = Client::to(&gateway).await;
        third.send(GET).await;
        let waited = tokio::time::timeout(Duration::from_millis(100), third.read_all()).await;
        if let Ok((answer, _)) = waited {
            assert_eq!((answer.status(), &*code(&answer)), (503, "overloaded"));
            assert_eq!(answer.header("retry-after"), Some("1"));
            break;
        }
        assert!(Instant::now() < end, "the third one is shed");
    }
    assert_eq!(stub.seen().len(), 1);
    go.notify_one();
    assert_eq!(first.read_all().await.0.status(), 200);
    reached(&stub, 2).await;
    go.notify_one();
    assert_eq!(second.read_all().await.0.status(), 200);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_place_that_a_client_no_longer_waits_for_goes_to_the_next() {
    let go = Arc::new(Notify::new());
    let stub = held(&go).await;
    let gateway = start(&[stub.address], "max_requests = 1\nmax_waiting = 2").await;
    let mut first = Client::to(&gateway).await;
    first.send(GET).await;
    reached(&stub, 1).await;
    let mut leaves = Client::to(&gateway).await;
    leaves.send(GET).await;
    let mut stays = Client::to(&gateway).await;
    stays.send(GET).await;
    drop(leaves);
    go.notify_one();
    assert_eq!(first.read_all().await.0.status(), 200);
    // The one that left may have reached the instance before it left.
    let letting_go = tokio::spawn(async move {
        loop {
            go.notify_one();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert_eq!(stays.read_all().await.0.status(), 200);
    letting_go.abort();
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_request_that_waits_for_too_long_is_503() {
    let go = Arc::new(Notify::new());
    let stub = held(&go).await;
    let gateway = start(&[stub.address], "max_requests = 1\nattempts_timeout = \"50ms\"").await;
    let mut first = Client::to(&gateway).await;
    first.send(GET).await;
    reached(&stub, 1).await;
    let (answer, _) = exchange(&gateway, GET).await;
    assert_eq!((answer.status(), &*code(&answer)), (503, "overloaded"));
    go.notify_one();
    assert_eq!(first.read_all().await.0.status(), 200);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_whose_resolver_never_answers_has_no_instance() {
    let silent = watch::Sender::new(Snapshot::unknown());
    let text = format!(
        "{SECRETS}\n[http]\nlisten = \"127.0.0.1:0\"\nhosts = [\"a\"]\n[upstreams.foo]\n\
         resolver = \"announced\"\nservice = \"reports\"\nattempts_timeout = \"50ms\""
    );
    let gateway = Gateway::from_toml(&text).unwrap();
    let gateway = gateway.resolver("announced", Announced(silent)).start().await.unwrap();
    let (answer, _) = exchange(&gateway, GET).await;
    assert_eq!((answer.status(), &*code(&answer)), (503, "no-instance"));
    gateway.stop().await.unwrap();
}

/// Starts an instance that counts its open connections.
async fn counting(open: &Arc<AtomicUsize>, all: &Arc<AtomicUsize>) -> Stub {
    let (open, all) = (Arc::clone(open), Arc::clone(all));
    Stub::serve(move |mut stream, seen| {
        let open = Arc::clone(&open);
        all.fetch_add(1, Relaxed);
        open.fetch_add(1, Relaxed);
        async move {
            while let Some(request) = read_request(&mut stream).await {
                seen.lock().unwrap().push(request);
                stream.write_all(OK.as_bytes()).await.ok();
            }
            open.fetch_sub(1, Relaxed);
        }
    })
    .await
}

#[tokio::test]
async fn unused_connections_are_closed_and_their_number_is_limited() {
    let (open, all) = (Arc::default(), Arc::default());
    let stub = counting(&open, &all).await;
    let gateway = start(&[stub.address], "keep_alive = \"200ms\"").await;
    for _ in 0..5 {
        assert_eq!(status(&gateway, GET).await, 200);
    }
    assert_eq!(all.load(Relaxed), 1, "one connection serves them all");
    let end = Instant::now() + SOON;
    while open.load(Relaxed) > 0 {
        assert!(Instant::now() < end, "the unused connection is closed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    gateway.stop().await.unwrap();

    let stub = counting(&open, &all).await;
    let gateway = start(&[stub.address], "max_idle = 0").await;
    all.store(0, Relaxed);
    for _ in 0..5 {
        assert_eq!(status(&gateway, GET).await, 200);
    }
    assert_eq!(all.load(Relaxed), 5, "no connection is kept");
    gateway.stop().await.unwrap();
}

struct Announced(watch::Sender<Snapshot>);

impl Resolver for Announced {
    fn watch(&self, service: &str) -> watch::Receiver<Snapshot> {
        assert_eq!(service, "reports");
        self.0.subscribe()
    }
}

#[tokio::test]
async fn instances_come_and_go_as_a_resolver_says() {
    let announced = watch::Sender::new(Snapshot::unknown());
    let text = format!(
        "{SECRETS}\n[http]\nlisten = \"127.0.0.1:0\"\nhosts = [\"a\"]\n\
         [upstreams.foo]\nresolver = \"announced\"\nservice = \"reports\""
    );
    let gateway = Gateway::from_toml(&text).unwrap();
    let gateway = gateway.resolver("announced", Announced(announced.clone()));
    let gateway = gateway.start().await.unwrap();
    let stubs = [Stub::start(OK, End::Open).await, Stub::start(OK, End::Open).await];
    let endpoint = |stub: &Stub| Endpoint::parse(&format!("http://{}", stub.address)).unwrap();

    // A request waits for the resolver's first answer.
    let mut early = Client::to(&gateway).await;
    early.send(GET).await;
    announced.send_replace(Snapshot::new([endpoint(&stubs[0])]));
    assert_eq!(early.read_all().await.0.status(), 200);

    announced.send_replace(Snapshot::new([endpoint(&stubs[1])]));
    until(&gateway, "the other instance is used", |status| {
        assert_eq!(status, 200);
        !stubs[1].seen().is_empty()
    })
    .await;
    let before = stubs[0].seen().len();
    for _ in 0..10 {
        assert_eq!(status(&gateway, GET).await, 200);
    }
    assert_eq!(stubs[0].seen().len(), before, "an instance that left gets no requests");

    announced.send_replace(Snapshot::new([]));
    until(&gateway, "there is none", |status| status == 503).await;
    let (answer, _) = exchange(&gateway, GET).await;
    assert_eq!((&*code(&answer), answer.header("retry-after")), ("no-instance", Some("1")));

    // The lower number of the priority first, the other one when it is ill.
    let spare = endpoint(&stubs[1]).with_priority(2);
    announced.send_replace(Snapshot::new([endpoint(&stubs[0]).with_priority(1), spare]));
    until(&gateway, "instances are back", |status| status == 200).await;
    let before = stubs[1].seen().len();
    for _ in 0..20 {
        assert_eq!(status(&gateway, GET).await, 200);
    }
    assert_eq!(stubs[1].seen().len(), before);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn settings_that_are_wrong_are_all_named() {
    let text = format!(
        "{SECRETS}\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [upstreams.a]\nurls = [\"http://x:1\", \"http://x:1\", \"ftp://y\"]\nattempts = 0\n\
         connect_timeout = \"0s\"\nbalance = \"hash\"\n\
         [upstreams.b]\nresolver = \"consull\"\n\
         [upstreams.c]\n\
         [upstreams.d]\nurls = [\"http://x:1\"]\nresolver = \"x\"\ncheck = {{ path = \"x\" }}"
    );
    let error = Gateway::from_toml(&text).unwrap().start().await.unwrap_err();
    let problems = error.problems().join("\n").replace("the settings", "the configuration");
    for part in [
        "`upstreams.a.urls` in the configuration: `http://x:1` is there twice",
        "`upstreams.a.urls` in the configuration: `ftp://y` has neither",
        "`upstreams.a.attempts` in the configuration is 0",
        "`upstreams.a.connect_timeout` in the configuration is 0",
        "`upstreams.a.hash_header` in the configuration is missing",
        "[upstreams.\"b\"]: unknown resolver `consull`",
        "[upstreams.\"c\"]: missing key `urls`",
        "[upstreams.\"d\"] has `urls` and `resolver`",
        "`upstreams.d.check.path` in the configuration is not a path",
    ] {
        assert!(problems.contains(part), "{part} in {problems}");
    }
}
