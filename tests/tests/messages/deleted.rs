//! Queues, exchanges and bindings of the gateway that are deleted while it runs.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::office::{Broker, Office, next, until};
use crate::rabbitmq::Server;

/// Waits until a queue has this number of messages; the queue may not exist yet.
async fn holds(server: &Server, queue: &str, count: u32) {
    let end = Instant::now() + Duration::from_secs(30);
    let line = format!("{queue}\t{count}");
    loop {
        let queues = server.ctl(&["list_queues", "name", "messages"]);
        if queues.lines().any(|other| other == line) {
            return;
        }
        assert!(Instant::now() < end, "{line}, and not\n{queues}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Sends jobs that fail, and checks that each is a dead letter, with as many attempts as
/// configured.
async fn bury(office: &Office, server: &Server, count: u32, buried: &mut u32, how: &str) {
    for _ in 0..count {
        *buried += 1;
        office.broker.publish(office.parcel(&format!("job {buried}"), how)).await.unwrap();
    }
    holds(server, &format!("{}.dead", office.name), *buried).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_queues_and_exchanges_are_declared_again() {
    let Some(server) = Server::start() else { return };
    let settings = "bus.calls.retry_delays = ['300ms']\nbus.calls.concurrency = 2\nbus.exchange = \
        'NAME-events'";
    let office = Office::open_with(&Broker::at(server.url()), settings).await;
    let (retry, dead) = (format!("{}.retry.300ms", office.name), format!("{}.dead", office.name));
    let mut buried = 0;
    bury(&office, &server, 3, &mut buried, "busy").await;

    // More jobs than slots; a call receives its reply meanwhile.
    server.ctl(&["delete_queue", &retry]);
    bury(&office, &server, 50, &mut buried, "busy").await;
    assert_eq!(office.call(office.parcel("a", "well")).await, (200, json!({ "times": 1 })));
    assert_eq!((office.times("job 4"), office.times("job 53")), (2, 2));

    server.ctl(&["delete_queue", &dead]);
    buried = 0;
    bury(&office, &server, 50, &mut buried, "lost").await;

    let letters = "rabbit_misc:r(<<\"/\">>, exchange, <<\"gateway.dead-letters\">>)";
    server.ctl(&["eval", &format!("rabbit_exchange:delete({letters}, false, <<\"test\">>).")]);
    bury(&office, &server, 3, &mut buried, "lost").await;

    let binding = format!(
        "{{binding, {letters}, <<\"{}\">>, rabbit_misc:r(<<\"/\">>, queue, <<\"{dead}\">>), []}}",
        office.name
    );
    server.ctl(&["eval", &format!("rabbit_binding:remove({binding}, <<\"test\">>).")]);
    bury(&office, &server, 3, &mut buried, "lost").await;

    // No message is returned where others subscribe to dead letters.
    let mut others = office.dead_letters().await;
    server.ctl(&["delete_queue", &dead]);
    holds(&server, &dead, 0).await;
    buried = 0;
    bury(&office, &server, 3, &mut buried, "lost").await;
    next(&mut others).await;

    // The exchange of events, which exists since the start.
    let exchange = format!("{}-events", office.name);
    let has = || server.ctl(&["list_exchanges", "name", "type", "durable"]);
    assert!(has().lines().any(|line| line == format!("{exchange}\ttopic\ttrue")), "{}", has());
    let events = format!("rabbit_misc:r(<<\"/\">>, exchange, <<\"{exchange}\">>)");
    server.ctl(&["eval", &format!("rabbit_exchange:delete({events}, false, <<\"test\">>).")]);
    office.gateway().publisher().publish("topic", &1).await.unwrap();
    assert!(has().contains(&exchange));
    until("nothing is held", || office.broker.stats().pending == 0).await;
}
