//! Webhooks: signatures by Standard Webhooks, checked on the bytes that came.

use std::time::{SystemTime, UNIX_EPOCH};

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
    let signed = format!("webhook-id: {id}\nwebhook-timestamp: {time}\nwebhook-signature: {signature}");
    gateway.ask(&format!("POST {PAID}\nContent-Type: application/json\n{signed}\n\n{body}")).await
}

#[tokio::test]
async fn a_signed_webhook_is_a_call_and_a_replayed_one_is_not() {
    let gateway = Gateway::start().await;
    let body = "{ \"name\" : \"webhooks-good\" }";
    let time = now();
    let signature = sign("msg_1", time, body);
    let first = send(&gateway, "msg_1", time, &signature, body).await;
    assert_eq!((first.status, first.json()), (200, json!("webhook")));
    let again = send(&gateway, "msg_1", time, &signature, body).await;
    assert_eq!((again.status, again.code().as_str()), (401, "unauthenticated"));
    // A sender that tries again signs again.
    let later = send(&gateway, "msg_1", time + 1, &sign("msg_1", time + 1, body), body).await;
    assert_eq!(later.status, 200);
    assert_eq!(Ticket::named("webhooks-good").now().begun, 2);
}

#[tokio::test]
async fn what_is_not_signed_does_not_reach_the_method_and_learns_nothing() {
    let gateway = Gateway::start().await;
    let body = r#"{"name":"webhooks-bad"}"#;
    let time = now();
    let other = WebhookKey::new(&Secret::new("whsec_b3RoZXI=")).unwrap().sign("msg_1", time, body.as_bytes());
    let mut refusals = vec![
        gateway.post(PAID, body).await,
        send(&gateway, "msg_1", time, &other, body).await,
        send(&gateway, "msg_2", time, &sign("msg_1", time, body), body).await,
        send(&gateway, "msg_1", time, &sign("msg_1", time, body), "{}").await,
        send(&gateway, "msg_1", time - 400, &sign("msg_1", time - 400, body), body).await,
        send(&gateway, "msg_1", time + 400, &sign("msg_1", time + 400, body), body).await,
        // Neither the schema nor the media type is looked at before the signature.
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
async fn a_signed_webhook_is_judged_like_any_call() {
    let gateway = Gateway::start().await;
    let time = now();
    let answer = send(&gateway, "msg_1", time, &sign("msg_1", time, "{\"nam\":1}"), "{\"nam\":1}").await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "invalid-request"));
    assert_eq!(answer.json()["errors"][0]["detail"], "`name` is missing", "{answer:?}");

    let limits = HttpLimits { body_bytes: 10, ..HttpLimits::default() };
    let gateway = Gateway::with(HttpSettings { limits, ..HttpSettings::default() }, Vec::new()).await;
    let long = r#"{"name":"webhooks-long"}"#;
    assert_eq!(send(&gateway, "msg_1", time, &sign("msg_1", time, long), long).await.status, 413);
}

#[tokio::test]
async fn a_webhook_is_a_webhook_alone() {
    let gateway = Gateway::start().await;
    assert_eq!(gateway.post("/services/edge/v1/paid", r#"{"name":"webhooks-alone"}"#).await.status, 404);
}
