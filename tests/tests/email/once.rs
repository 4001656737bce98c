//! Effect `once`: failover only while nothing can have been sent.

use email::stand_ins::Behaviour;
use proptest::{prelude::*, test_runner::TestRunner};

use super::house::{House, PROVIDERS};

#[tokio::test]
async fn a_refused_connection_fails_over() {
    let house = House::new().await;
    house.behave(&[("smtp", Behaviour::Refuse)]).await;
    assert_eq!(house.send().await.unwrap().provider, "sendgrid");
    house.behave(&[("sendgrid", Behaviour::Refuse)]).await;
    assert_eq!(house.send().await.unwrap().provider, "postmark");
    assert_eq!(house.taken(), [0, 1, 1, 0]);
    house.behave(&[("smtp", Behaviour::Well)]).await;
    assert_eq!(house.send().await.unwrap().provider, "smtp", "it comes back");
}

#[tokio::test]
async fn ambiguous_attempt_is_not_retried() {
    for (at, provider) in PROVIDERS.into_iter().enumerate() {
        let failures: &[Behaviour] = if provider == "smtp" {
            &[Behaviour::Cut]
        } else {
            &[
                Behaviour::Cut,
                Behaviour::Status(500),
                Behaviour::Status(503),
                Behaviour::Saying(200, "no JSON"),
            ]
        };
        let house = House::with(&format!("providers.{provider}.order = 0\n")).await;
        for (before, failure) in failures.iter().enumerate() {
            house.behave(&[(provider, *failure)]).await;
            let error = house.send().await.unwrap_err();
            assert_eq!(error.code(), Some("outcome-unknown"), "{provider} {failure:?}: {error}");
            assert!(!error.is_retryable());
            let mut taken = [0; 4];
            taken[at] = before + 1;
            assert_eq!(house.taken(), taken, "{provider} {failure:?}");
        }
    }
}

#[tokio::test]
async fn silent_provider_leaves_the_outcome_unknown() {
    for (at, provider) in PROVIDERS.into_iter().enumerate() {
        let house = House::with(&format!(
            "providers.{provider}.order = 0\nfailover.attempt_timeout = '500ms'"
        ))
        .await;
        house.behave(&[(provider, Behaviour::Hang)]).await;
        let error = house.send().await.unwrap_err();
        assert_eq!(error.code(), Some("outcome-unknown"), "{provider}: {error}");
        let mut taken = [0; 4];
        taken[at] = 1;
        assert_eq!(house.taken(), taken, "{provider}");
    }
}

/// The connection is accepted and never greeted: nothing can have been sent, so the attempt is not
/// ambiguous.
#[tokio::test]
async fn call_fails_over_when_the_mail_server_never_greets() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let house =
        House::with(&format!("providers.smtp = {{ port = {port}, open_timeout = '100ms' }}\n"))
            .await;
    assert_eq!(house.send().await.unwrap().provider, "sendgrid");
}

/// The stand-in does not offer encryption, like a server whose offer was removed by an attacker.
#[tokio::test]
async fn message_is_sent_unencrypted_only_if_configured() {
    for security in ["starttls", "tls"] {
        let house = House::with(&format!("providers.smtp.security = '{security}'\n")).await;
        assert_eq!(house.send().await.unwrap().provider, "sendgrid", "{security}");
        assert_eq!(house.taken(), [0, 1, 0, 0], "{security}");
    }
}

/// Whatever each of the four does: no message is accepted twice, and each reported as accepted was.
#[test]
fn no_message_is_accepted_twice() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let house = runtime.block_on(House::with("failover.attempt_timeout = '300ms'\n"));
    let statuses = prop::sample::select(vec![
        400, 401, 402, 403, 404, 413, 422, 429, 451, 454, 500, 502, 503, 535, 550, 554,
    ]);
    let behaviour = prop_oneof![
        2 => Just(Behaviour::Refuse),
        4 => statuses.prop_map(Behaviour::Status),
        1 => Just(Behaviour::Cut),
        1 => Just(Behaviour::Hang),
        1 => Just(Behaviour::Well),
    ];
    let all = [behaviour.clone(), behaviour.clone(), behaviour.clone(), behaviour];
    let mut runner = TestRunner::new(ProptestConfig { cases: 60, ..ProptestConfig::default() });
    let outcome = runner.run(&all, |behaviours| {
        let before: usize = house.taken().iter().sum();
        let sent = runtime.block_on(async {
            house.behave(&PROVIDERS.into_iter().zip(behaviours).collect::<Vec<_>>()).await;
            house.send().await
        });
        let taken = house.taken().iter().sum::<usize>() - before;
        match sent {
            Ok(_) => prop_assert_eq!(taken, 1),
            Err(error) if error.code() == Some("outcome-unknown") => {
                prop_assert!(taken <= 1, "{}", error)
            }
            Err(error) => prop_assert_eq!(taken, 0, "{}", error),
        }
        Ok(())
    });
    outcome.unwrap();
}
