//! Signed webhooks of providers about a message.

use std::time::{SystemTime, UNIX_EPOCH};

use email::message::{State, Status, StatusQuery};
use gateway_runtime::{Secret, http::WebhookKey};
use serde_json::{Value, json};

use super::house::House;

impl House {
    /// Delivers a webhook, signed with `secret`.
    async fn webhook(&self, method: &str, body: &Value, secret: &str) -> u16 {
        let key = WebhookKey::new(&Secret::new(secret)).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let signature = key.sign("msg_1", now, body.to_string().as_bytes());
        let headers = [
            ("webhook-id", "msg_1".to_owned()),
            ("webhook-timestamp", now.to_string()),
            ("webhook-signature", signature),
        ];
        self.post(&format!("/services/_webhooks/email/v1/{method}"), &headers, body).await.0
    }

    async fn status(&self, message_id: &str) -> Status {
        self.client.status(&StatusQuery { message_id: message_id.to_owned() }).await.unwrap()
    }
}

const SECRET: &str = "only for stand-ins";

#[tokio::test]
async fn webhook_updates_the_status_of_a_message() {
    let house = House::new().await;
    let arrived = house.send().await.unwrap().message_id;
    let returned = house.send().await.unwrap().message_id;
    assert_eq!(house.webhook("delivered", &json!({ "message_id": arrived }), SECRET).await, 204);
    let bounced = json!({ "message_id": returned, "reason": "550 5.1.1 user unknown" });
    assert_eq!(house.webhook("bounced", &bounced, SECRET).await, 204);
    assert_eq!(house.status(&arrived).await.state, State::Delivered);
    let status = house.status(&returned).await;
    assert_eq!(
        (status.state, status.reason.as_deref()),
        (State::Bounced, Some("550 5.1.1 user unknown"))
    );
}

#[tokio::test]
async fn unsigned_webhook_changes_nothing() {
    let house = House::new().await;
    let id = house.send().await.unwrap().message_id;
    assert_eq!(
        house.webhook("delivered", &json!({ "message_id": id }), "another secret").await,
        401
    );
    assert_eq!(house.status(&id).await.state, State::Accepted);
}

#[tokio::test]
async fn webhook_about_an_unknown_message_is_accepted() {
    let house = House::new().await;
    assert_eq!(
        house.webhook("delivered", &json!({ "message_id": "of last year" }), SECRET).await,
        204
    );
    assert_eq!(house.webhook("delivered", &json!({ "message": "?" }), SECRET).await, 400);
    let bounced = json!({ "message_id": "x", "reason": "", "code": 550 });
    assert_eq!(
        house.webhook("bounced", &bounced, SECRET).await,
        400,
        "nobody said what `code` means"
    );
}
