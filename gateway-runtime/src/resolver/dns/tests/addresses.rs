//! Services by their A and AAAA records.

use hickory_resolver::proto::{op::ResponseCode, rr::RecordType};

use super::{
    harness::{Watcher, pass, until},
    server::{DnsServer, Reply, a, aaaa, cname},
};

const SERVICE: &str = "reports.test:80";
const NAME: &str = "reports.test.";

#[tokio::test]
async fn both_families_are_instances_of_the_name() {
    let server = DnsServer::start().await;
    server.set(NAME, RecordType::A, Reply::Records(vec![a(NAME, 30, 1), a(NAME, 30, 2)]));
    server.set(NAME, RecordType::AAAA, Reply::Records(vec![aaaa(NAME, 30, 7)]));
    let mut watcher = Watcher::new(&server, "https://Reports.test:8443");
    assert_eq!(watcher.next().await, ["10.0.0.1:8443", "10.0.0.2:8443", "[fd00::7]:8443"]);
    for endpoint in watcher.0.borrow().endpoints() {
        assert!(endpoint.is_secure());
        assert_eq!(endpoint.host(), "Reports.test");
        assert_eq!(endpoint.authority(), "Reports.test:8443");
    }
}

#[tokio::test]
async fn default_port_is_not_in_host() {
    let server = DnsServer::start().await;
    server.set_a(NAME, 30, [1]);
    let mut watcher = Watcher::new(&server, "reports.test.:80");
    assert_eq!(watcher.next().await, ["10.0.0.1:80"]);
    assert_eq!(watcher.0.borrow().endpoints()[0].authority(), "reports.test");
}

#[tokio::test]
async fn instances_come_and_go() {
    let server = DnsServer::start().await;
    server.set_a(NAME, 5, [1]);
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, ["10.0.0.1:80"]);
    server.set_a(NAME, 5, [1, 2, 3]);
    pass(5).await;
    assert_eq!(watcher.next().await, ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]);
    server.set_a(NAME, 5, [3]);
    pass(5).await;
    assert_eq!(watcher.next().await, ["10.0.0.3:80"]);
}

#[tokio::test]
async fn order_of_records_is_no_change() {
    let server = DnsServer::start().await;
    server.set_a(NAME, 1, [1, 2]);
    let mut watcher = Watcher::new(&server, SERVICE);
    watcher.next().await;
    server.set_a(NAME, 1, [2, 1]);
    let before = server.questions().len();
    pass(1).await;
    until(|| server.questions().len() >= before + 2).await;
    pass(1).await;
    until(|| server.questions().len() >= before + 4).await;
    assert!(!watcher.has_changed());
}

#[tokio::test]
async fn name_that_does_not_exist_is_an_answer() {
    let server = DnsServer::start().await;
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, [""; 0]);
    server.set_a(NAME, 5, [1]);
    pass(1).await;
    assert_eq!(watcher.next().await, ["10.0.0.1:80"]);
    server.set_both(NAME, Reply::None(ResponseCode::NXDomain, Some(2)));
    pass(5).await;
    until(|| server.count(NAME, RecordType::A) >= 3).await;
    assert!(!watcher.has_changed());
    let seconds = watcher.pass_until(40, |snapshot| snapshot.endpoints().is_empty()).await;
    assert!((27..=34).contains(&seconds), "held for {seconds} s");
}

#[tokio::test]
async fn flapping_is_not_published() {
    let server = DnsServer::start().await;
    server.set_a(NAME, 1, 1..=9);
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await.len(), 9);
    for _ in 0..10 {
        server.set_both(NAME, Reply::None(ResponseCode::NoError, Some(1)));
        let count = server.count(NAME, RecordType::A);
        watcher.pass_until(20, |_| server.count(NAME, RecordType::A) >= count + 5).await;
        server.set_a(NAME, 1, 1..=9);
        let count = server.count(NAME, RecordType::A);
        watcher.pass_until(5, |_| server.count(NAME, RecordType::A) >= count + 2).await;
    }
    assert!(!watcher.has_changed());
}

/// Returns the seconds after which the name is asked for again. Real time counts too, and a
/// question may be seen a step late: on a busy machine they differ from the TTL by one or two.
async fn seconds_to_next_question(server: &DnsServer, watcher: &Watcher) -> u64 {
    let asked = server.count(NAME, RecordType::A);
    watcher.pass_until(60, |_| server.count(NAME, RecordType::A) > asked).await
}

#[tokio::test]
async fn ttl_of_zero_is_a_second() {
    let server = DnsServer::start().await;
    server.set_a(NAME, 0, [1]);
    let mut watcher = Watcher::new(&server, SERVICE);
    watcher.next().await;
    for _ in 0..10 {
        let seconds = seconds_to_next_question(&server, &watcher).await;
        assert!(seconds <= 3, "{seconds} s");
    }
    let asked = server.count(NAME, RecordType::A);
    assert!(asked <= 13, "{asked} questions in about 10 s");
}

#[tokio::test]
async fn ttl_of_a_day_is_30_s() {
    let server = DnsServer::start().await;
    server.set_a(NAME, 86_400, [1]);
    let mut watcher = Watcher::new(&server, SERVICE);
    watcher.next().await;
    let seconds = seconds_to_next_question(&server, &watcher).await;
    assert!((28..=33).contains(&seconds), "{seconds} s");
}

#[tokio::test]
async fn shortest_ttl_of_the_records_counts() {
    let server = DnsServer::start().await;
    let chain = vec![cname(NAME, 4, "b.test."), a("b.test.", 20, 1), a("b.test.", 9, 2)];
    server.set(NAME, RecordType::A, Reply::Records(chain));
    server.set(NAME, RecordType::AAAA, Reply::None(ResponseCode::NoError, Some(11)));
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, ["10.0.0.1:80", "10.0.0.2:80"]);
    let seconds = seconds_to_next_question(&server, &watcher).await;
    assert!((2..=6).contains(&seconds), "{seconds} s");
}

#[tokio::test]
async fn cname_chain_is_followed_within_replies_and_across_them() {
    let server = DnsServer::start().await;
    let chain = vec![cname(NAME, 30, "b.test."), cname("b.test.", 30, "c.test.")];
    server.set_both(NAME, Reply::Records(chain));
    let rest = vec![a("d.test.", 30, 4), cname("c.test.", 30, "d.test.")];
    server.set("c.test.", RecordType::A, Reply::Records(rest));
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, ["10.0.0.4:80"]);
    assert_eq!(watcher.0.borrow().endpoints()[0].host(), "reports.test");
}

#[tokio::test]
async fn cname_circle_is_no_answer() {
    let server = DnsServer::start().await;
    server.set_both(NAME, Reply::Records(vec![cname(NAME, 30, "b.test.")]));
    server.set_both("b.test.", Reply::Records(vec![cname("b.test.", 30, NAME)]));
    let watcher = Watcher::new(&server, SERVICE);
    until(|| server.count(NAME, RecordType::A) >= 4).await;
    pass(2).await;
    until(|| server.count(NAME, RecordType::A) >= 8).await;
    assert!(!watcher.0.borrow().is_known());
}

#[tokio::test]
async fn truncated_reply_is_asked_for_over_tcp() {
    let server = DnsServer::start().await;
    let many = (1..=200).map(|host| a(NAME, 1, host)).collect();
    server.set(NAME, RecordType::A, Reply::Truncated(many));
    server.set(NAME, RecordType::AAAA, Reply::None(ResponseCode::NoError, Some(30)));
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await.len(), 200);
    let a_over = |is_tcp| {
        let questions = server.questions();
        let a = questions.iter().filter(|q| q.record_type == RecordType::A);
        a.filter(|question| question.is_tcp == is_tcp).count()
    };
    assert_eq!((a_over(false), a_over(true)), (1, 1));
    // The connection is used again.
    server.set_a(NAME, 1, [1; 1]);
    let fewer = (1..=100).map(|host| a(NAME, 1, host)).collect();
    server.set(NAME, RecordType::A, Reply::Truncated(fewer));
    pass(1).await;
    assert_eq!(watcher.next().await.len(), 100);
}

#[tokio::test]
async fn addresses_that_are_no_instances_are_left_out() {
    let server = DnsServer::start().await;
    let mut records = vec![a(NAME, 30, 1)];
    for address in ["0.0.0.0", "224.0.0.1", "255.255.255.255"] {
        let data = hickory_resolver::proto::rr::RData::A(address.parse().unwrap());
        records.push(hickory_resolver::proto::rr::Record::from_rdata(
            super::server::name(NAME),
            30,
            data,
        ));
    }
    server.set(NAME, RecordType::A, Reply::Records(records));
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, ["10.0.0.1:80"]);
}
