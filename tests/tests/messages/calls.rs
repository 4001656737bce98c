//! Calls of methods over the bus.

use std::time::Duration;

use gateway_runtime::bus::{BusErrorKind, CallQueue, Message, Subscription};
use serde_json::{Value, json};

use super::{
    office::{Broker, Office, key_of_acme, next, until},
    over_each,
};

over_each! {
    call_receives_its_reply
    failed_call_receives_its_problem
    failed_job_is_a_dead_letter
    retryable_job_is_retried
    messages_with_one_id_are_one_call
    caller_is_authenticated_by_its_api_key
    shutdown_lets_calls_end
    call_that_was_not_begun_is_requeued_as_undelivered
    call_that_expires_before_it_begins_is_not_executed
    calls_have_a_limit_of_size
    any_message_id_is_a_key
    calls_are_spread_over_the_threads
    poison_messages_do_not_stop_ten_thousand_jobs
}

async fn call_receives_its_reply(broker: Broker) {
    let office = Office::open(&broker).await;
    assert_eq!(office.call(office.parcel("a", "well")).await, (200, json!({ "times": 1 })));
    let answer =
        office.broker.call(office.parcel("a", "well"), super::office::soon()).await.unwrap();
    assert_eq!(answer.content_type.as_deref(), Some("application/json"));
    assert_eq!(answer.body, r#"{"times":2}"#);
    let label = office
        .broker
        .call(office.message("label", Value::Null), super::office::soon())
        .await
        .unwrap();
    assert_eq!(
        (label.content_type.as_deref(), &label.body[..]),
        (Some("image/png"), &b"\x89PNG\r\n\x00\xff"[..])
    );
}

async fn failed_call_receives_its_problem(broker: Broker) {
    let office = Office::open(&broker).await;
    for (message, status, code) in [
        (office.parcel("a", "lost"), 410, "parcel-lost"),
        (office.parcel("b", "busy"), 503, "overloaded"),
        (office.parcel("c", "broken"), 500, "internal"),
        (office.message("send", json!({ "nome": 1 })), 400, "invalid-request"),
        (office.message("nothing", json!({})), 404, "not-found"),
        (office.message("sign", json!({ "name": "d" })), 401, "unauthenticated"),
        (
            Message { body: "no JSON".into(), ..Message::to_queue(office.name.clone()) },
            400,
            "invalid-request",
        ),
    ] {
        let (said, problem) = office.call(message).await;
        assert_eq!((said, problem["code"].as_str()), (status, Some(code)), "{problem}");
    }
    assert_eq!(office.times("b"), 1, "who waits decides whether to try again");
}

async fn failed_job_is_a_dead_letter(broker: Broker) {
    let office = Office::open(&broker).await;
    let mut dead = office.dead_letters().await;
    let mut job = office.parcel("a", "lost");
    job.headers.add("x-of-the-sender", "kept");
    let body = job.body.clone();
    office.broker.publish(job).await.unwrap();
    let letter = next(&mut dead).await;
    assert_eq!((letter.body, letter.headers.text("x-gateway-code")), (body, Some("parcel-lost")));
    assert_eq!(letter.headers.text("x-of-the-sender"), Some("kept"));
    let problem: Value =
        serde_json::from_str(letter.headers.text("x-gateway-problem").unwrap()).unwrap();
    assert_eq!(
        (problem["status"].as_i64(), problem["detail"].as_str()),
        (Some(410), Some("it cannot be found"))
    );
    assert_eq!(office.times("a"), 1);
}

async fn retryable_job_is_retried(broker: Broker) {
    let office = Office::open_with(&broker, "bus.calls.retry_delays = ['10ms', '200ms']").await;
    let mut dead = office.dead_letters().await;
    office.broker.publish(office.parcel("a", "busy")).await.unwrap();
    let letter = next(&mut dead).await;
    assert_eq!(letter.headers.text("x-gateway-code"), Some("overloaded"));
    assert_eq!((office.times("a"), letter.headers.number("x-gateway-attempt")), (3, Some(3)));
}

async fn messages_with_one_id_are_one_call(broker: Broker) {
    let office = Office::open(&broker).await;
    let message = Message { message_id: Some("the same".into()), ..office.parcel("a", "well") };
    let first = office.call(message.clone()).await;
    assert_eq!(
        (first, office.call(message).await),
        ((200, json!({ "times": 1 })), (200, json!({ "times": 1 })))
    );
    assert_eq!(office.times("a"), 1);
    let other = Message { message_id: Some("the same".into()), ..office.parcel("b", "well") };
    assert_eq!(office.call(other).await.1["code"], "idempotency-mismatch");
}

async fn caller_is_authenticated_by_its_api_key(broker: Broker) {
    let (key, setting) = key_of_acme("");
    let office = Office::open_with(&broker, &setting).await;
    let mut message = office.message("sign", json!({ "name": "a" }));
    message.headers.add("x-api-key", key);
    assert_eq!(office.call(message).await, (200, json!("a for acme")));
}

async fn shutdown_lets_calls_end(broker: Broker) {
    let mut office = Office::open(&broker).await;
    let slow = office.own("slow");
    let waiting = {
        let (broker, message) = (office.broker.clone(), office.parcel("slow", "slow"));
        tokio::spawn(async move { broker.call(message, super::office::soon()).await })
    };
    until("it has begun", || office.times("slow") == 1).await;
    let stopped = async {
        office.stop().await;
    };
    let opened = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        crate::gate::gate(&slow).add_permits(1);
    };
    tokio::join!(stopped, opened);
    assert_eq!(waiting.await.unwrap().unwrap().body, r#"{"times":1}"#);
    // There is no consumer any more, and a connection to RabbitMQ is closed.
    let left = office.broker.call(
        office.parcel("left", "well"),
        tokio::time::Instant::now() + Duration::from_millis(100),
    );
    let expected = if broker.url().is_some() {
        BusErrorKind::Disconnected
    } else {
        BusErrorKind::ReplyTimeout
    };
    assert_eq!(left.await.unwrap_err().kind(), expected);
    assert_eq!(office.times("left"), 0);
}

async fn call_that_was_not_begun_is_requeued_as_undelivered(broker: Broker) {
    let mut office =
        Office::open_with(&broker, "bus.calls.concurrency = 2\nbus.calls.prefetch = 10").await;
    // A second broker that stays open and observes requeued messages: the in-process one is the
    // gateway's own.
    let looking = broker.open(&office).await;
    let names: Vec<_> = (0..7).map(|number| format!("job {number}")).collect();
    for name in &names {
        looking.publish(office.parcel(name, "slow")).await.unwrap();
    }
    let begun = || names.iter().filter(|name| office.times(name) > 0).count();
    until("two have begun, and the others are here", || {
        begun() == 2 && office.broker.stats().received == 7
    })
    .await;
    let names_of = |is_begun: bool| -> Vec<String> {
        names
            .iter()
            .filter(|name| (office.times(name) > 0) == is_begun)
            .map(|name| office.own(name))
            .collect()
    };
    let (begun, unbegun) = (names_of(true), names_of(false));
    let opened = async {
        for name in begun {
            tokio::time::sleep(Duration::from_millis(50)).await;
            crate::gate::gate(&name).add_permits(1);
        }
    };
    let queue = office.name.clone();
    tokio::join!(office.stop(), opened);
    let mut left = looking.consume(Subscription::Calls(calls_queue(&queue))).await.unwrap();
    let mut found = Vec::new();
    for _ in &unbegun {
        let delivery =
            tokio::time::timeout_at(super::office::soon(), left.next()).await.unwrap().unwrap();
        assert_eq!(delivery.delivered_before, 0);
        let call: Value = serde_json::from_slice(&delivery.message.body).unwrap();
        found.push(call["payload"]["name"].as_str().unwrap().to_owned());
        delivery.receipt.ack();
    }
    found.sort();
    assert_eq!(found, unbegun, "each once, and none that had begun");
    assert_eq!(left.waiting(), 0);
}

fn calls_queue(name: &str) -> CallQueue {
    CallQueue { name: name.to_owned().into(), prefetch: 100, delivery_limit: 20, delays: vec![] }
}

async fn call_that_expires_before_it_begins_is_not_executed(broker: Broker) {
    let office = Office::open_with(&broker, "bus.calls.concurrency = 1").await;
    let mut dead = office.dead_letters().await;
    let (reply_to, mut replies) = office.queue("replies").await;
    office.broker.publish(office.parcel("first", "slow")).await.unwrap();
    until("the only slot is taken", || office.times("first") == 1).await;
    let expiration = Some(Duration::from_millis(300));
    for (name, reply_to) in [("asked", Some(reply_to)), ("job", None)] {
        let message = Message { expiration, reply_to, ..office.parcel(name, "well") };
        office.broker.publish(message).await.unwrap();
    }
    until("they are here", || office.broker.stats().received >= 3).await;
    // The messages wait here for longer than their expiration.
    tokio::time::sleep(Duration::from_millis(400)).await;
    crate::gate::gate(&office.own("first")).add_permits(1);
    let reply = next(&mut replies).await;
    let problem: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status(), problem["code"].as_str()), (Some(504), Some("timeout")));
    assert_eq!(office.call(office.parcel("after", "well")).await.0, 200);
    assert_eq!((office.times("asked"), office.times("job")), (0, 0));
    // The first dead letter is that of a later job.
    office.broker.publish(office.parcel("lost", "lost")).await.unwrap();
    assert_eq!(next(&mut dead).await.body, office.parcel("lost", "lost").body);
}

async fn calls_have_a_limit_of_size(broker: Broker) {
    let office = Office::open_with(&broker, "bus.calls.body_bytes = 500").await;
    let mut dead = office.dead_letters().await;
    let long = office.parcel("a", &"x".repeat(500));
    let (status, problem) = office.call(long.clone()).await;
    assert_eq!((status, problem["code"].as_str()), (413, Some("payload-too-large")));
    office.broker.publish(long).await.unwrap();
    assert_eq!(next(&mut dead).await.headers.text("x-gateway-code"), Some("payload-too-large"));
    assert_eq!((office.times("a"), office.call(office.parcel("b", "well")).await.0), (0, 200));
}

async fn any_message_id_is_a_key(broker: Broker) {
    let office = Office::open(&broker).await;
    for (number, id) in ["\"", "\"quoted\"", "\"open", "ä", " ", "\u{7f}"].into_iter().enumerate()
    {
        let parcel = || Message {
            message_id: Some(id.into()),
            ..office.parcel(&number.to_string(), "well")
        };
        for _ in 0..2 {
            assert_eq!(office.call(parcel()).await, (200, json!({ "times": 1 })), "{id:?}");
        }
    }
}

async fn calls_are_spread_over_the_threads(broker: Broker) {
    let office = Office::open(&broker).await;
    let gate = crate::gate::gate(&office.own("threads"));
    let calls = (0..4).map(|_| {
        let name = office.own("threads");
        office.call(office.message_to("chores", "thread", json!({ "name": name })))
    });
    let opened = async {
        until("all four are under way", || super::chores::waiting(&office.own("threads")) == 4)
            .await;
        gate.add_permits(4);
    };
    let (names, ()) = tokio::join!(futures_util::future::join_all(calls), opened);
    let mut names: Vec<_> =
        names.into_iter().map(|(_, name)| name.as_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["bus-0", "bus-0", "bus-1", "bus-1"], "of two workers");
}

/// 9,900 jobs are executed once; 100 are dead letters, each with its reason.
async fn poison_messages_do_not_stop_ten_thousand_jobs(broker: Broker) {
    const ALL: usize = 10_000;
    let office = Office::open_with(&broker, "bus.calls.retry_delays = []").await;
    let mut dead = office.dead_letters().await;
    let messages = (0..ALL).map(|number| match number % 400 {
        0 => (
            Message { body: format!("poison {number}").into(), ..office.parcel("", "") },
            "invalid-request",
        ),
        100 => (office.message("send", json!({ "how": number })), "invalid-request"),
        200 => (office.message("vanish", json!({})), "not-found"),
        300 => (office.parcel(&format!("poison {number}"), "lost"), "parcel-lost"),
        _ => (office.parcel(&format!("good {number}"), "well"), ""),
    });
    let (mut published, mut reasons) = (Vec::new(), std::collections::BTreeMap::new());
    for (number, (mut message, reason)) in messages.enumerate() {
        message.message_id = Some(number.to_string().into());
        if !reason.is_empty() {
            reasons.insert(message.message_id.clone().unwrap(), reason);
        }
        published.push(office.broker.publish(message));
        if published.len() == 100 {
            for published in futures_util::future::join_all(published.drain(..)).await {
                published.unwrap();
            }
        }
    }
    assert_eq!(reasons.len(), 100);
    while !reasons.is_empty() {
        let letter = next(&mut dead).await;
        let reason =
            reasons.remove(letter.message_id.as_ref().unwrap()).expect("once, and only poison");
        assert_eq!(letter.headers.text("x-gateway-code"), Some(reason));
    }
    let good = || (0..ALL).filter(|number| number % 100 != 0);
    until("all are done", || good().all(|number| office.times(&format!("good {number}")) > 0))
        .await;
    assert!(good().all(|number| office.times(&format!("good {number}")) == 1));
    assert!(office.broker.state().is_ok());
}
