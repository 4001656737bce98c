//! The requests of each provider, in the form that its documentation gives.

use email::message::{SendRequest, State, StatusQuery};
use serde_json::{Value, json};

use super::house::{House, message};

#[tokio::test]
async fn smtp_sends_a_mime_message() {
    let house = House::only("smtp").await;
    let accepted = house.send().await.unwrap();
    let received = house.only_received("smtp");
    let envelope = "MAIL FROM:<noreply@example.com>\nRCPT TO:<ada@example.org>\nRCPT \
        TO:<bob+tag@example.com>\n\
                    RCPT TO:<carol@example.net>\n";
    assert_eq!(received.to, envelope);
    // base64 of "\0stand-in\0stand-in" (RFC 4616)
    assert_eq!(received.credentials["auth"], "AUTH PLAIN AHN0YW5kLWluAHN0YW5kLWlu");
    let (head, body) = received.body.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Message-ID: <{}>", accepted.message_id)), "{head}");
    for field in [
        "From: noreply@example.com",
        "To: ada@example.org, bob+tag@example.com",
        "Cc: carol@example.net",
    ] {
        assert!(head.contains(field), "{head}");
    }
    assert!(head.contains("Subject: =?utf-8?b?") && head.is_ascii(), "{head}");
    assert!(head.contains("multipart/alternative"), "{head}");
    // Quoted-printable (RFC 2045 §6.7); the single dot is intact in spite of SMTP's dot-stuffing.
    assert!(body.contains("Hello,\r\n.\r\n..dots & =C3=BCmlauts\r\n"), "{body}");
    assert!(body.contains("<p>Hello & =C3=BCmlauts</p>"), "{body}");
    assert_eq!(accepted.provider, "smtp");
}

#[tokio::test]
async fn sendgrid_receives_v3_json() {
    let house = House::only("sendgrid").await;
    let accepted = house.send().await.unwrap();
    let received = house.only_received("sendgrid");
    assert_eq!(received.to, "/v3/mail/send");
    assert_eq!(received.credentials["authorization"], "Bearer stand-in");
    let message = message();
    let expected = json!({
        "personalizations": [{
            "to": [{ "email": "ada@example.org" }, { "email": "bob+tag@example.com" }],
            "cc": [{ "email": "carol@example.net" }],
        }],
        "from": { "email": "noreply@example.com" },
        "subject": message.subject,
        "content": [
            { "type": "text/plain", "value": message.text },
            { "type": "text/html", "value": message.html },
        ],
    });
    assert_eq!(serde_json::from_str::<Value>(&received.body).unwrap(), expected);
    assert_eq!((accepted.provider.as_str(), accepted.message_id.len()), ("sendgrid", 32));
}

#[tokio::test]
async fn postmark_receives_json() {
    let house = House::only("postmark").await;
    let accepted = house.send().await.unwrap();
    let received = house.only_received("postmark");
    assert_eq!(received.to, "/email");
    assert_eq!(received.credentials["x-postmark-server-token"], "stand-in");
    assert_eq!(received.credentials["accept"], "application/json");
    let message = message();
    let expected = json!({
        "From": "noreply@example.com",
        "To": "ada@example.org,bob+tag@example.com",
        "Cc": "carol@example.net",
        "Subject": message.subject,
        "TextBody": message.text,
        "HtmlBody": message.html,
        "MessageStream": "outbound",
    });
    assert_eq!(serde_json::from_str::<Value>(&received.body).unwrap(), expected);
    assert_eq!((accepted.provider.as_str(), accepted.message_id.len()), ("postmark", 32));
}

#[tokio::test]
async fn mailgun_receives_a_form() {
    let house = House::only("mailgun").await;
    let accepted = house.send().await.unwrap();
    let received = house.only_received("mailgun");
    assert_eq!(received.to, "/v3/mail.example.com/messages");
    // base64 of "api:stand-in"
    assert_eq!(received.credentials["authorization"], "Basic YXBpOnN0YW5kLWlu");
    assert_eq!(received.credentials["content-type"], "application/x-www-form-urlencoded");
    let form: Vec<_> = form_urlencoded::parse(received.body.as_bytes()).into_owned().collect();
    let message = message();
    let expected = [
        ("from", "noreply@example.com"),
        ("to", "ada@example.org,bob+tag@example.com"),
        ("subject", &message.subject),
        ("text", &message.text),
        ("cc", "carol@example.net"),
        ("html", message.html.as_deref().unwrap()),
    ];
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(
        accepted.message_id.ends_with("@mail.example.com") && !accepted.message_id.contains('<'),
        "{accepted:?}"
    );
}

#[tokio::test]
async fn absent_fields_are_not_sent() {
    let house = House::new().await;
    let plain = SendRequest { cc: Vec::new(), html: None, ..message() };
    for (provider, absent) in
        [("smtp", "Cc:"), ("sendgrid", "\"cc\""), ("postmark", "Cc"), ("mailgun", "&cc=")]
    {
        let house = House::only(provider).await;
        let accepted = house.client.send(&plain).await.unwrap();
        let received = house.only_received(provider);
        assert!(
            !received.body.contains(absent) && !received.body.contains("html"),
            "{}",
            received.body
        );
        let status = house
            .client
            .status(&StatusQuery { message_id: accepted.message_id.clone() })
            .await
            .unwrap();
        assert_eq!(
            (status.accepted, status.state, status.reason),
            (accepted, State::Accepted, None)
        );
    }
    let unknown =
        house.client.status(&StatusQuery { message_id: "x".to_owned() }).await.unwrap_err();
    assert_eq!(unknown.code(), Some("not-found"));
}
