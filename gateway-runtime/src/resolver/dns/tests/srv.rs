//! Services by their SRV records.

use hickory_resolver::proto::{op::ResponseCode, rr::RecordType};

use super::{
    harness::{Watcher, pass},
    server::{DnsServer, Reply, a, cname, srv},
};

const NAME: &str = "_http._tcp.test.";
const SERVICE: &str = "_http._tcp.test";

/// Returns address, host, priority and weight of each instance.
fn instances(watcher: &Watcher) -> Vec<(String, String, u16, u16)> {
    let snapshot = watcher.0.borrow();
    let mut instances: Vec<_> = snapshot
        .endpoints()
        .iter()
        .map(|e| (e.address().to_owned(), e.host().to_owned(), e.priority(), e.weight()))
        .collect();
    instances.sort();
    instances
}

fn instance(address: &str, host: &str, priority: u16, weight: u16) -> (String, String, u16, u16) {
    (address.to_owned(), host.to_owned(), priority, weight)
}

#[tokio::test]
async fn priority_weight_and_port_are_those_of_the_records() {
    let server = DnsServer::start().await;
    let records = vec![
        srv(NAME, 10, 3, 9001, "a.test."),
        srv(NAME, 10, 1, 9002, "b.test."),
        srv(NAME, 20, 5, 9003, "c.test."),
    ];
    server.set(NAME, RecordType::SRV, Reply::Records(records));
    for (name, host) in [("a.test.", 1), ("b.test.", 2), ("c.test.", 3)] {
        server.set_a(name, 30, [host]);
    }
    let mut watcher = Watcher::new(&server, SERVICE);
    watcher.next().await;
    assert_eq!(
        instances(&watcher),
        [
            instance("10.0.0.1:9001", "a.test", 10, 3),
            instance("10.0.0.2:9002", "b.test", 10, 1),
            instance("10.0.0.3:9003", "c.test", 20, 5),
        ]
    );
    assert_eq!(watcher.0.borrow().endpoints()[0].authority(), "a.test:9001");
}

#[tokio::test]
async fn weights_of_a_priority_are_scaled() {
    let server = DnsServer::start().await;
    let records = vec![
        srv(NAME, 1, 0, 1, "a.test."),
        srv(NAME, 1, 10, 2, "a.test."),
        srv(NAME, 2, 0, 3, "a.test."),
        srv(NAME, 2, 0, 4, "a.test."),
        srv(NAME, 3, 60_000, 5, "a.test."),
        srv(NAME, 3, 30_000, 6, "a.test."),
    ];
    server.set(NAME, RecordType::SRV, Reply::Records(records));
    server.set_a("a.test.", 30, [1]);
    let mut watcher = Watcher::new(&server, SERVICE);
    watcher.next().await;
    let weights: Vec<_> = instances(&watcher).into_iter().map(|(.., weight)| weight).collect();
    assert_eq!(weights, [1, 1000, 1, 1, 1000, 500]);
}

#[tokio::test]
async fn target_that_is_the_root_says_that_there_is_no_service() {
    let server = DnsServer::start().await;
    server.set(NAME, RecordType::SRV, Reply::Records(vec![srv(NAME, 0, 0, 0, ".")]));
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, [""; 0]);
    assert_eq!(server.questions().len(), 1);
}

#[tokio::test]
async fn target_without_addresses_is_left_out() {
    let server = DnsServer::start().await;
    let records = vec![srv(NAME, 0, 0, 80, "a.test."), srv(NAME, 0, 0, 80, "gone.test.")];
    server.set(NAME, RecordType::SRV, Reply::Records(records));
    server.set_a("a.test.", 30, [1, 2]);
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, ["10.0.0.1:80", "10.0.0.2:80"]);
}

#[tokio::test]
async fn target_that_cannot_be_asked_for_keeps_its_addresses() {
    let server = DnsServer::start().await;
    let records = vec![srv(NAME, 0, 0, 80, "a.test."), srv(NAME, 0, 0, 80, "b.test.")];
    server.set(NAME, RecordType::SRV, Reply::Records(records));
    server.set_a("a.test.", 30, [1]);
    server.set_a("b.test.", 30, [2]);
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, ["10.0.0.1:80", "10.0.0.2:80"]);
    server.set_both("b.test.", Reply::Code(ResponseCode::ServFail));
    server.set_a("a.test.", 30, [3]);
    pass(5).await;
    assert_eq!(watcher.next().await, ["10.0.0.2:80", "10.0.0.3:80"]);
}

#[tokio::test]
async fn records_behind_a_cname_are_found() {
    let server = DnsServer::start().await;
    let records =
        vec![cname(NAME, 9, "_http._tcp.b.test."), srv("_http._tcp.b.test.", 1, 1, 81, "b.test.")];
    server.set(NAME, RecordType::SRV, Reply::Records(records));
    server.set("b.test.", RecordType::A, Reply::Records(vec![a("b.test.", 9, 4)]));
    let mut watcher = Watcher::new(&server, SERVICE);
    assert_eq!(watcher.next().await, ["10.0.0.4:81"]);
}

#[tokio::test]
async fn one_target_in_two_records_is_one_instance() {
    let server = DnsServer::start().await;
    let records = vec![srv(NAME, 5, 9, 80, "a.test."), srv(NAME, 1, 4, 80, "A.test.")];
    server.set(NAME, RecordType::SRV, Reply::Records(records));
    server.set_a("a.test.", 30, [1]);
    let mut watcher = Watcher::new(&server, SERVICE);
    watcher.next().await;
    let instances = instances(&watcher);
    assert_eq!(instances.len(), 1, "{instances:?}");
    assert_eq!((instances[0].2, instances[0].3), (1, 4));
}
