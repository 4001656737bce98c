//! Problems, and all other failures of calls: each says whether the method may have executed.

use std::time::Duration;

use gateway_runtime::{
    ProviderError,
    client::{ClientError, Http},
    provider::AttemptClass,
};
use tokio::net::TcpListener;

use super::{
    lab::{Failing, Lab, Search, gateway},
    scripted::Scripted,
};

fn failing(how: &str) -> Failing {
    Failing { how: how.to_owned() }
}

#[tokio::test]
async fn problem_has_all_members_that_the_service_sent() {
    let (_gateway, lab) = gateway().await;
    let error = lab.fail(&failing("sold-out")).header("x-request-id", "r-1").await.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!(
        (problem.code.as_str(), problem.status, problem.title.as_str()),
        ("sold-out", 409, "Sold out")
    );
    assert_eq!((problem.detail.as_str(), problem.retryable), ("the last seat is gone", false));
    assert_eq!(problem.request_id.as_deref(), Some("r-1"));
    assert_eq!(
        (error.code(), error.is_retryable(), error.retry_after()),
        (Some("sold-out"), false, None)
    );
    assert_eq!(error.to_string(), "sold-out (409): the last seat is gone");

    let busy = lab.fail(&failing("busy")).await.unwrap_err();
    assert_eq!((busy.code(), busy.is_retryable()), (Some("overloaded"), true));
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(7)));

    let internal = lab.fail(&failing("other")).await.unwrap_err();
    assert!(internal.code() == Some("internal") && !format!("{internal:?}").contains("hunter2"));
}

#[tokio::test]
async fn violations_have_their_pointers() {
    let (_gateway, lab) = gateway().await;
    let search = Search { some_words: String::new(), ..Search::example() };
    for error in [lab.look(&search).await.unwrap_err(), lab.make(&search).await.unwrap_err()] {
        let problem = error.problem().unwrap();
        assert_eq!(problem.code, "invalid-request");
        assert_eq!(
            problem.errors.iter().map(|violation| violation.pointer.as_str()).collect::<Vec<_>>(),
            ["/someWords"]
        );
        assert_eq!(error.class(), AttemptClass::Invalid);
    }
}

#[tokio::test]
async fn nothing_is_sent_when_nobody_listens() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let hanging_up = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let no_tls = format!("https://{}", hanging_up.local_addr().unwrap());
    tokio::spawn(async move { while hanging_up.accept().await.is_ok() {} });
    for address in [format!("http://{closed}"), no_tls] {
        let error = Lab::client(Http::to(&address)).ping().await.unwrap_err();
        assert!(matches!(error, ClientError::NotSent(_)), "{address}: {error:?}");
        assert!(error.is_retryable() && error.class() == AttemptClass::NotSent);
    }
}

#[tokio::test]
async fn error_before_sending_gives_its_reason() {
    for (address, why) in [
        ("localhost:8080", "is not an HTTP URL"),
        ("nonsense", "cannot be read"),
        ("http://a?b", "HTTP"),
    ] {
        let error = Lab::client(Http::to(address)).ping().await.unwrap_err();
        assert!(
            matches!(&error, ClientError::InvalidRequest(text) if text.contains(why)),
            "{address}: {error}"
        );
        assert_eq!(error.class(), AttemptClass::Invalid);
    }
    let unreadable =
        Lab::client(Http::to("http://localhost").bearer("\n")).ping().await.unwrap_err();
    assert_eq!(unreadable, ClientError::InvalidRequest("the bearer token is malformed".to_owned()));
}

#[tokio::test]
async fn timeout_leaves_the_outcome_unknown() {
    let (gateway, lab) = gateway().await;
    let own = Duration::from_millis(50);
    let error = lab.never().timeout(own).await.unwrap_err();
    assert_eq!(error, ClientError::TimedOut(own));
    assert!(!error.is_retryable() && error.class() == AttemptClass::Ambiguous);
    let lab = Lab::client(Http::to(gateway.url()).timeout(own));
    assert_eq!(lab.never().await.unwrap_err(), ClientError::TimedOut(own));
}

#[tokio::test]
async fn lost_connection_leaves_the_outcome_unknown() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"a\"",
    ] {
        let server = Scripted::answering(answer).await;
        let error = Lab::client(Http::to(server.url())).make(&Search::example()).await.unwrap_err();
        assert!(matches!(error, ClientError::Ambiguous(_)), "{answer:?}: {error:?}");
        assert_eq!(
            (error.class(), server.requests().len()),
            (AttemptClass::Ambiguous, 1),
            "it was sent once, and not again"
        );
    }
}

#[tokio::test]
async fn foreign_server_is_distinguished_from_a_gateway() {
    let page = "Content-Type: text/html\r\nContent-Length: 4\r\n\r\nhtml";
    let json = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    for (answer, status, class) in [
        (format!("HTTP/1.1 200 OK\r\n{page}"), 200, AttemptClass::Ambiguous),
        (
            format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n{page}"),
            302,
            AttemptClass::Ambiguous,
        ),
        (format!("HTTP/1.1 403 Forbidden\r\n{page}"), 403, AttemptClass::Rejected),
        (format!("HTTP/1.1 404 Not Found\r\n{json}"), 404, AttemptClass::Invalid),
        (format!("HTTP/1.1 502 Bad Gateway\r\n{page}"), 502, AttemptClass::Ambiguous),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhtml".to_owned(),
            200,
            AttemptClass::Ambiguous,
        ),
    ] {
        let server = Scripted::answering(&answer).await;
        let error = Lab::client(Http::to(server.url())).make(&Search::example()).await.unwrap_err();
        assert!(
            matches!(error, ClientError::InvalidResponse { status: Some(s), .. } if s == status),
            "{answer}: {error:?}"
        );
        assert_eq!(
            (error.class(), error.is_retryable(), server.requests().len()),
            (class, false, 1),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_gateway_can_be_a_provider_of_another() {
    let (_gateway, lab) = gateway().await;
    let provider =
        async |how: &str| -> Result<(), ProviderError> { Ok(lab.fail(&failing(how)).await?) };
    let busy = provider("busy").await.unwrap_err();
    assert_eq!(
        (busy.class(), busy.status()),
        (AttemptClass::Rejected, Some(503)),
        "the gateway says that it did nothing"
    );
    assert_eq!(busy.retry_delay(), Some(Duration::from_secs(7)));
    assert!(busy.message().contains("come back"), "{busy}");
    assert_eq!(provider("sold-out").await.unwrap_err().class(), AttemptClass::Invalid);
    assert_eq!(provider("other").await.unwrap_err().class(), AttemptClass::Ambiguous);
    let late: ProviderError =
        lab.never().timeout(Duration::from_millis(10)).await.unwrap_err().into();
    assert_eq!(late.class(), AttemptClass::Ambiguous);
}
