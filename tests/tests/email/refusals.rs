//! Rejections of each provider, and their consequences.

use email::stand_ins::Behaviour::{self, Saying, Status};

use super::house::{House, PROVIDERS};

/// The consequence of a rejection by the first provider.
enum Then {
    /// Failover: the next provider sends the message.
    Next,
    /// The message is at fault: no other provider is tried.
    Stop,
}

async fn refused(provider: &str, refusals: &[(Behaviour, Then)]) {
    let house = House::with(&format!("providers.{provider}.order = 0\n")).await;
    let next = PROVIDERS.into_iter().find(|other| *other != provider).unwrap();
    for (refusal, then) in refusals {
        house.behave(&[(provider, *refusal)]).await;
        match (then, house.send().await) {
            (Then::Next, Ok(accepted)) => assert_eq!(accepted.provider, next, "{refusal:?}"),
            (Then::Stop, Err(error)) => {
                assert_eq!(error.code(), Some("invalid-request"), "{refusal:?}: {error}")
            }
            (_, other) => panic!("{provider} {refusal:?}: {other:?}"),
        }
        assert_eq!(house.stand_in(provider).count(), 0);
    }
}

use Then::{Next, Stop};

#[tokio::test]
async fn mail_server_rejections_are_classified() {
    refused(
        "smtp",
        &[
            (Status(451), Next),
            (Status(535), Next),
            (Status(454), Next),
            (Status(554), Next),
            (Status(552), Next),
            (Saying(550, "5.7.1 relaying denied"), Next),
            (Saying(450, "4.2.1 mailbox busy"), Next),
            (Saying(550, "5.1.8 sender's domain unknown"), Next),
            (Saying(550, "5.1.1 user unknown"), Stop),
            (Saying(553, "no such user here"), Stop),
        ],
    )
    .await;
}

#[tokio::test]
async fn sendgrid_rejections_are_classified() {
    refused(
        "sendgrid",
        &[
            (Status(400), Stop),
            (Status(401), Next),
            (Status(403), Next),
            (Status(413), Next),
            (Status(429), Next),
        ],
    )
    .await;
}

#[tokio::test]
async fn postmark_rejections_are_classified() {
    refused(
        "postmark",
        &[
            (Status(401), Next),
            (Saying(422, r#"{"ErrorCode":300,"Message":"Invalid 'To' address"}"#), Stop),
            (Saying(422, r#"{"ErrorCode":400,"Message":"Sender Signature not found"}"#), Next),
            (Saying(422, r#"{"ErrorCode":405,"Message":"Not allowed to send"}"#), Next),
            (Saying(422, r#"{"ErrorCode":406,"Message":"Inactive recipient"}"#), Stop),
            (Saying(422, r#"{"ErrorCode":412,"Message":"Account is pending approval"}"#), Next),
            (Saying(422, "no JSON"), Next),
            (Status(429), Next),
        ],
    )
    .await;
}

#[tokio::test]
async fn mailgun_rejections_are_classified() {
    refused(
        "mailgun",
        &[
            (Status(400), Stop),
            (Saying(401, "Forbidden"), Next),
            (Status(402), Next),
            (Saying(404, r#"{"message":"Domain not found: mail.example.com"}"#), Next),
            (Status(413), Next),
            (Status(429), Next),
        ],
    )
    .await;
}

#[tokio::test]
async fn provider_text_does_not_reach_the_client() {
    let house = House::only("sendgrid").await;
    house
        .behave(&[("sendgrid", Saying(400, r#"{"errors":[{"message":"key hunter2 is bad"}]}"#))])
        .await;
    let error = house.send().await.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn nothing_was_sent_when_every_provider_rejects() {
    let house = House::new().await;
    house.behave(&PROVIDERS.map(|provider| (provider, Behaviour::Refuse))).await;
    let error = house.send().await.unwrap_err();
    assert!(
        matches!(error.code(), Some("no-provider" | "provider-failed")) && error.is_retryable(),
        "{error}"
    );
    assert_eq!(house.taken(), [0; 4]);
}
