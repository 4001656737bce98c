//! The schema of messages.

use serde_json::{Value, json};

use super::house::House;

async fn violations(house: &House, message: &Value) -> Vec<String> {
    let (_, problem) = house.post("/services/email/v1/send", &[], message).await;
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn invalid_message_is_refused_with_its_pointers() {
    let house = House::new().await;
    let good = json!({ "to": ["ada@example.org"], "subject": "Hi", "text": "Hello" });
    let with = |change: Value| {
        let mut message = good.clone();
        message.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        message
    };
    assert!(violations(&house, &good).await.is_empty());
    for (change, place) in [
        (json!({ "to": [] }), "/to"),
        (json!({ "to": ["ada@example.org", "ada"] }), "/to/1"),
        (json!({ "to": ["Ada <ada@example.org>"] }), "/to/0"),
        (json!({ "to": ["ada@example.org\r\nBcc: eve@example.org"] }), "/to/0"),
        (json!({ "to": ["a..b@example.org"] }), "/to/0"),
        (json!({ "to": [format!("{}@example.org", "a".repeat(250))] }), "/to/0"),
        (json!({ "cc": vec!["ada@example.org"; 51] }), "/cc"),
        (json!({ "subject": "" }), "/subject"),
        (json!({ "subject": "a\r\nBcc: eve@example.org" }), "/subject"),
        (json!({ "subject": "a".repeat(501) }), "/subject"),
        (json!({ "text": "a".repeat(20_001) }), "/text"),
        (json!({ "html": 7 }), "/html"),
        (json!({ "bcc": ["eve@example.org"] }), "/bcc"),
    ] {
        let places = violations(&house, &with(change.clone())).await;
        // A string can violate several keywords at once.
        assert!(
            !places.is_empty() && places.iter().all(|found| found == place),
            "{change}: {places:?}"
        );
    }
    assert_eq!(house.taken(), [1, 0, 0, 0], "what was refused was not sent");
}

/// A message that the schema allows is not refused for its length, however it is written.
#[tokio::test]
async fn the_longest_message_is_sent() {
    let house = House::new().await;
    let address = format!("{0}@{1}.{1}.{1}.example.org", "a".repeat(64), "b".repeat(58));
    let longest = json!({
        "to": vec![&address; 50], "cc": vec![&address; 50],
        "subject": "😀".repeat(500), "text": "😀".repeat(20_000), "html": "😀".repeat(50_000),
    });
    let escaped = longest
        .to_string()
        .replace('😀', r"\ud83d\ude00")
        .replace('a', r"\u0061")
        .replace('b', r"\u0062");
    assert!(escaped.len() > 960_000, "all of it is escaped");
    let (status, problem) = house.post_text("/services/email/v1/send", &[], escaped).await;
    assert_eq!(status, 200, "{problem}");
}
