//! Webhooks: signatures by Standard Webhooks, verified over the received bytes.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::{StreamExt, stream::FuturesUnordered};
use gateway_runtime::{
    Secret,
    http::{HttpLimits, HttpSettings, WebhookKey},
};
use serde_json::json;

use super::{
    gateway::{Gateway, SECRET},
    services::Ticket,
    wire::Answer,
};

const PAID: &str = "/services/_webhooks/edge/v1/paid";

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn sign(id: &str, time: u64, body: &str) -> String {
    WebhookKey::new(&Secret::new(SECRET)).unwrap().sign(id, time, body.as_bytes())
}

async fn send(gateway: &Gateway, id: &str, time: u64, signature: &str, body: &str) -> Answer {
    let signed =
        format!("webhook-id: {id}\nwebhook-timestamp: {time}\nwebhook-signature: {signature}");
    gateway.ask(&format!("POST {PAID}\nContent-Type: application/json\n{signed}\n\n{body}")).await
}

#[tokio::test]
async fn signed_webhook_is_a_call_once() {
    let gateway = Gateway::start().await;
    let body = "{ \"name\" : \"webhooks-good\" }";
    let time = now();
    let signature = sign("msg_1", time, body);
    let first = send(&gateway, "msg_1", time, &signature, body).await;
    assert_eq!((first.status, first.json()), (200, json!("webhook")));
    let again = send(&gateway, "msg_1", time, &signature, body).await;
    assert_eq!((again.status, again.code().as_str()), (401, "unauthenticated"));
    // A sender that retries signs again.
    let later = send(&gateway, "msg_1", time + 1, &sign("msg_1", time + 1, body), body).await;
    assert_eq!(later.status, 200);
    assert_eq!(Ticket::named("webhooks-good").now().begun, 2);
}

#[tokio::test]
async fn unsigned_webhook_does_not_reach_the_method_and_learns_nothing() {
    let gateway = Gateway::start().await;
    let body = r#"{"name":"webhooks-bad"}"#;
    let time = now();
    let other = WebhookKey::new(&Secret::new("whsec_YW5vdGhlci1zZWNyZXQtb2YtdGhlLXRlc3RzLTAxMjM="))
        .unwrap()
        .sign("msg_1", time, body.as_bytes());
    let mut refusals = vec![
        gateway.post(PAID, body).await,
        send(&gateway, "msg_1", time, &other, body).await,
        send(&gateway, "msg_2", time, &sign("msg_1", time, body), body).await,
        send(&gateway, "msg_1", time, &sign("msg_1", time, body), "{}").await,
        send(&gateway, "msg_1", time - 400, &sign("msg_1", time - 400, body), body).await,
        send(&gateway, "msg_1", time + 400, &sign("msg_1", time + 400, body), body).await,
        // The signature is verified before the schema and the media type.
        gateway.ask(&format!("POST {PAID}\nContent-Type: text/plain\n\n{{")).await,
    ];
    let first = refusals.remove(0);
    for refusal in refusals.iter().chain([&first]) {
        assert_eq!((refusal.status, refusal.code().as_str()), (401, "unauthenticated"));
        assert_eq!(refusal.json()["detail"], first.json()["detail"]);
        assert_eq!(refusal.header("www-authenticate"), Some("Webhook-Signature"));
    }
    assert_eq!(Ticket::named("webhooks-bad").now().begun, 0);
}

#[tokio::test]
async fn signed_webhook_is_validated_like_any_call() {
    let gateway = Gateway::start().await;
    let time = now();
    let answer =
        send(&gateway, "msg_1", time, &sign("msg_1", time, "{\"nam\":1}"), "{\"nam\":1}").await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "invalid-request"));
    assert_eq!(answer.json()["errors"][0]["detail"], "`name` is missing", "{answer:?}");

    let limits = HttpLimits { body_bytes: 10, ..HttpLimits::default() };
    let gateway =
        Gateway::with(HttpSettings { limits, ..HttpSettings::default() }, Vec::new()).await;
    let long = r#"{"name":"webhooks-long"}"#;
    assert_eq!(send(&gateway, "msg_1", time, &sign("msg_1", time, long), long).await.status, 413);
}

async fn send_to(gateway: &Gateway, method: &str, id: &str, time: u64, body: &str) -> Answer {
    let signature = sign(id, time, body);
    let signed =
        format!("webhook-id: {id}\nwebhook-timestamp: {time}\nwebhook-signature: {signature}");
    let path = format!("/services/_webhooks/edge/v1/{method}");
    gateway.ask(&format!("POST {path}\nContent-Type: application/json\n{signed}\n\n{body}")).await
}

/// An event, and the time of its signature: each delivery of it is the same.
struct Event<'g> {
    gateway: &'g Gateway,
    method: &'static str,
    name: String,
    ends: &'static str,
    time: u64,
}

impl Event<'_> {
    async fn send(&self) -> Answer {
        let body = json!({ "name": self.name, "ends": self.ends }).to_string();
        send_to(self.gateway, self.method, &self.name, self.time, &body).await
    }

    fn begun(&self) -> u32 {
        Ticket::named(&self.name).now().begun
    }
}

impl Gateway {
    fn event(&self, method: &'static str, kind: &str, ends: &'static str) -> Event<'_> {
        Event {
            gateway: self,
            method,
            name: format!("webhooks-{kind}-{method}-{ends}"),
            ends,
            time: now(),
        }
    }
}

#[tokio::test]
async fn webhook_that_was_not_executed_may_be_sent_again() {
    let gateway = Gateway::start().await;
    for code in [
        "overloaded",
        "quota-exceeded",
        "no-provider",
        "unroutable",
        "forbidden",
        "insufficient-funds",
    ] {
        let event = gateway.event("refund", "again", code);
        for begun in 1..=2 {
            let refused = event.send().await;
            assert_eq!((refused.code().as_str(), event.begun()), (code, begun), "{refused:?}");
        }
        Ticket::named(&event.name).release();
        assert_eq!(event.send().await.status, 204, "{code}");
        assert_eq!(
            (event.send().await.code().as_str(), event.begun()),
            ("unauthenticated", 3),
            "{code}"
        );
    }
    // A call whose input was refused was not executed either.
    let time = now();
    for _ in 0..2 {
        assert_eq!(
            send_to(&gateway, "refund", "msg_1", time, "{\"nam\":1}").await.code(),
            "invalid-request"
        );
    }
}

#[tokio::test]
async fn webhook_that_may_have_been_executed_is_not_executed_again() {
    let gateway = Gateway::start().await;
    for code in ["sold-out", "not-found", "internal", "outcome-unknown"] {
        let event = gateway.event("refund", "once", code);
        assert_eq!(event.send().await.json()["code"], code);
        assert_eq!(
            (event.send().await.code().as_str(), event.begun()),
            ("unauthenticated", 1),
            "{code}"
        );
    }
    // After the deadline: a call with effect `once` may have been executed; an idempotent one may
    // be sent again.
    for (method, first, again, begun) in
        [("refund", "outcome-unknown", "unauthenticated", 1), ("sync", "timeout", "timeout", 2)]
    {
        let event = gateway.event(method, "late", "waits");
        assert_eq!(event.send().await.code(), first);
        assert_eq!((event.send().await.code().as_str(), event.begun()), (again, begun));
    }
}

#[tokio::test]
async fn one_of_concurrent_deliveries_is_executed() {
    let gateway = Gateway::start().await;
    let event = gateway.event("refund", "at-once", "waits");
    let ticket = Ticket::named(&event.name);
    let mut deliveries: FuturesUnordered<_> = (0..8).map(|_| event.send()).collect();
    for _ in 0..7 {
        let refused = deliveries.next().await.unwrap();
        assert_eq!(
            (refused.code().as_str(), refused.header("retry-after")),
            ("idempotency-conflict", Some("1"))
        );
        assert_eq!(refused.json()["retryable"], true);
    }
    ticket.release();
    assert_eq!((deliveries.next().await.unwrap().status, event.begun()), (204, 1));
    assert_eq!(event.send().await.code(), "unauthenticated");
}

#[tokio::test]
async fn signature_of_a_sender_that_disconnects_is_used_up_for_effect_once() {
    let gateway = Gateway::start().await;
    for (method, status, begun) in [("refund", 401, 1), ("sync", 204, 2)] {
        let event = gateway.event(method, "left", "waits");
        let ticket = Ticket::named(&event.name);
        let mut sending = Box::pin(event.send());
        tokio::select! {
            answer = &mut sending => panic!("{answer:?}"),
            _ = ticket.until(|state| state.begun == 1) => {}
        }
        drop(sending);
        ticket.until(|state| state.dropped == 1).await;
        ticket.release();
        assert_eq!((event.send().await.status, event.begun()), (status, begun), "{method}");
    }
}

#[tokio::test]
async fn webhook_method_is_callable_by_webhook_only() {
    let gateway = Gateway::start().await;
    assert_eq!(
        gateway.post("/services/edge/v1/paid", r#"{"name":"webhooks-alone"}"#).await.status,
        404
    );
}
