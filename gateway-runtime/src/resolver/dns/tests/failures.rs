//! Servers that fail, are silent, lie or die: "could not ask" is not "there are none".

use std::time::Duration;

use hickory_resolver::proto::{op::ResponseCode, rr::RecordType};

use super::{
    harness::{Watcher, pass, resolver},
    server::{DnsServer, Reply, a, aaaa},
};
use crate::resolver::Resolver;

const SERVICE: &str = "reports.test:80";
const NAME: &str = "reports.test.";

/// Replies that say nothing of the name.
fn failures() -> Vec<(&'static str, Reply)> {
    let header = |flags: u16, counts: [u16; 4]| {
        let words = [[flags].as_slice(), &counts].concat();
        words.into_iter().flat_map(u16::to_be_bytes).collect::<Vec<u8>>()
    };
    // A question whose name points to itself.
    let circle = [header(0x8180, [1, 0, 0, 0]), vec![0xc0, 12, 0, 1, 0, 1]].concat();
    vec![
        ("SERVFAIL", Reply::Code(ResponseCode::ServFail)),
        ("REFUSED", Reply::Code(ResponseCode::Refused)),
        ("NOTIMP", Reply::Code(ResponseCode::NotImp)),
        ("an unknown code", Reply::Code(ResponseCode::Unknown(13))),
        ("silence", Reply::Silence),
        ("no message", Reply::Bytes(Vec::new())),
        ("half a header", Reply::Bytes(vec![0x81, 0x80, 0])),
        ("answers that are missing", Reply::Bytes(header(0x8180, [1, 5, 0, 0]))),
        ("a name in a circle", Reply::Bytes(circle)),
        ("noise", Reply::Bytes(vec![0xff; 300])),
        ("a question", Reply::Bytes(header(0x0100, [0, 0, 0, 0]))),
        ("a referral", Reply::Referral),
        ("another name", Reply::Records(vec![a("other.test.", 30, 9)])),
        ("another type", Reply::Records(vec![super::server::srv(NAME, 1, 1, 1, "b.test.")])),
    ]
}

#[tokio::test]
async fn failure_leaves_the_last_answer() {
    for (what, failure) in failures() {
        let server = DnsServer::start().await;
        server.set_a(NAME, 1, [1]);
        let mut watcher = Watcher::new(&server, SERVICE);
        assert_eq!(watcher.next().await, ["10.0.0.1:80"], "{what}");
        server.set_both(NAME, failure);
        // Longer than a loss is held.
        for _ in 0..60 {
            pass(1).await;
        }
        assert!(server.count(NAME, RecordType::A) > 4, "{what}");
        assert!(watcher.age().unwrap() > Duration::from_secs(50), "{what}: {:?}", watcher.age());
        assert!(!watcher.has_changed(), "{what}: {:?}", watcher.addresses());
        server.set_a(NAME, 1, [2]);
        watcher.pass_until(31, |snapshot| snapshot.age() < Some(Duration::from_secs(2))).await;
        assert_eq!(watcher.addresses(), ["10.0.0.2:80"], "{what}");
    }
}

#[tokio::test]
async fn service_stays_unknown_while_the_first_question_fails() {
    for (what, failure) in failures() {
        let server = DnsServer::start().await;
        server.set_both(NAME, failure);
        let mut watcher = Watcher::new(&server, SERVICE);
        for _ in 0..20 {
            pass(1).await;
        }
        assert!(server.count(NAME, RecordType::A) > 1, "{what}");
        assert!(!watcher.0.borrow().is_known(), "{what}: {:?}", watcher.addresses());
        server.set_a(NAME, 1, [1]);
        watcher.pass_until(31, |snapshot| snapshot.is_known()).await;
        assert_eq!(watcher.addresses(), ["10.0.0.1:80"], "{what}");
    }
}

#[tokio::test]
async fn failed_question_is_repeated_after_1_s_then_up_to_30_s() {
    let server = DnsServer::start().await;
    server.set_both(NAME, Reply::Code(ResponseCode::ServFail));
    let watcher = Watcher::new(&server, SERVICE);
    let mut waits = Vec::new();
    for poll in 1..=8 {
        // Each poll asks twice. A question may be seen a step or two late.
        let asked = poll * 2;
        waits.push(watcher.pass_until(40, |_| server.count(NAME, RecordType::A) >= asked).await);
    }
    let bounds = [(0, 3), (0, 3), (1, 4), (2, 6), (5, 10), (11, 18), (22, 32), (22, 32)];
    for (wait, (min, max)) in waits.iter().zip(bounds) {
        assert!((min..=max).contains(wait), "{waits:?}");
    }
}

#[tokio::test]
async fn family_that_cannot_be_asked_for_keeps_its_addresses_for_5_min() {
    let server = DnsServer::start().await;
    server.set(NAME, RecordType::A, Reply::Records(vec![a(NAME, 30, 1)]));
    server.set(NAME, RecordType::AAAA, Reply::Records(vec![aaaa(NAME, 30, 1)]));
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, ["10.0.0.1:80", "[fd00::1]:80"]);
    server.set(NAME, RecordType::A, Reply::Records(vec![a(NAME, 30, 2)]));
    server.set(NAME, RecordType::AAAA, Reply::Code(ResponseCode::ServFail));
    pass(30).await;
    assert_eq!(watcher.next().await, ["10.0.0.2:80", "[fd00::1]:80"]);
    let seconds = watcher.pass_until(330, |snapshot| snapshot.endpoints().len() == 1).await;
    assert!((255..=305).contains(&seconds), "kept for {seconds} s");
    assert_eq!(watcher.addresses(), ["10.0.0.2:80"]);
}

#[tokio::test]
async fn family_that_was_never_known_is_left_out() {
    let server = DnsServer::start().await;
    server.set(NAME, RecordType::A, Reply::Silence);
    server.set(NAME, RecordType::AAAA, Reply::Records(vec![aaaa(NAME, 30, 1)]));
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, ["[fd00::1]:80"]);
}

#[tokio::test]
async fn family_without_records_beside_one_that_fails_is_no_answer() {
    let server = DnsServer::start().await;
    server.set_a(NAME, 1, [1]);
    let mut watcher = Watcher::new(&server, SERVICE);
    watcher.next().await;
    server.set(NAME, RecordType::A, Reply::Code(ResponseCode::ServFail));
    for _ in 0..60 {
        pass(1).await;
    }
    assert!(!watcher.has_changed());
    assert!(watcher.age().unwrap() > Duration::from_secs(50));
}

#[tokio::test]
async fn dead_server_leaves_the_last_answer_for_5_min() {
    let server = DnsServer::start().await;
    server.set_a(NAME, 30, [1, 2]);
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, ["10.0.0.1:80", "10.0.0.2:80"]);
    let address = server.stop().await;
    let seconds = watcher.pass_until(310, |snapshot| snapshot.endpoints().is_empty()).await;
    assert!((290..=305).contains(&seconds), "kept for {seconds} s");
    assert_eq!(watcher.addresses(), [""; 0]);
    assert!(watcher.age().unwrap() >= Duration::from_secs(300));
    let server = DnsServer::start_at(address).await;
    server.set_a(NAME, 30, [1, 2]);
    watcher.pass_until(31, |snapshot| snapshot.endpoints().len() == 2).await;
    assert!(watcher.age().unwrap() < Duration::from_secs(2));
}

#[tokio::test]
async fn server_that_fails_is_followed_by_the_next_one() {
    for (what, failure) in failures() {
        let (bad, good) = (DnsServer::start().await, DnsServer::start().await);
        bad.set_both(NAME, failure);
        good.set_a(NAME, 1, [1]);
        let resolver = resolver(&[&bad, &good]);
        let mut watcher = Watcher(resolver.watch(SERVICE));
        assert_eq!(watcher.next().await, ["10.0.0.1:80"], "{what}");
        // The one that answered is asked first.
        let asked = bad.questions().len();
        good.set_a(NAME, 1, [2]);
        pass(1).await;
        assert_eq!(watcher.next().await, ["10.0.0.2:80"], "{what}");
        assert_eq!(bad.questions().len(), asked, "{what}");
    }
}

#[tokio::test]
async fn server_that_refuses_edns_is_asked_without_it() {
    let server = DnsServer::start().await;
    server.set_both(NAME, Reply::NoEdns(vec![a(NAME, 30, 1)]));
    server.set(NAME, RecordType::AAAA, Reply::NoEdns(vec![aaaa(NAME, 30, 1)]));
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, ["10.0.0.1:80", "[fd00::1]:80"]);
}
