use std::future::pending;

use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;

use super::*;

fn id() -> RequestId {
    RequestId::from_header(&HeaderValue::from_static("id-1")).unwrap()
}

/// Returns all that is sent, and whether the body ends cleanly.
async fn write(form: StreamFormat, items: Vec<Result<&'static str, Error>>) -> (String, bool) {
    let chunks =
        stream::iter(items).map(|item| item.map(|text| Bytes::from_static(text.as_bytes())));
    let mut body = super::items(Box::pin(chunks), form, "/a".into(), id(), pending());
    let mut text = String::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return (text, false) };
        text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    (text, true)
}

#[tokio::test]
async fn each_item_is_an_event_or_a_line() {
    let items = || vec![Ok("{\"a\":1}"), Ok("\"b\""), Ok("[1,\n\r2]")];
    let events = "data: {\"a\":1}\n\ndata: \"b\"\n\ndata: [1,  2]\n\n";
    assert_eq!(write(StreamFormat::Sse, items()).await, (events.to_owned(), true));
    let lines = "{\"a\":1}\n\"b\"\n[1,  2]\n";
    assert_eq!(write(StreamFormat::Ndjson, items()).await, (lines.to_owned(), true));
}

#[tokio::test]
async fn failure_is_written_and_then_the_body_is_aborted() {
    let items = || vec![Ok("1"), Err(Error::not_found("gone").with_log_message("secret")), Ok("2")];
    let (events, clean) = write(StreamFormat::Sse, items()).await;
    let problem = events
        .strip_prefix("data: 1\n\nevent: error\ndata: ")
        .unwrap()
        .strip_suffix("\n\n")
        .unwrap();
    assert!(
        problem.contains("\"code\":\"not-found\"") && problem.contains("\"request_id\":\"id-1\""),
        "{problem}"
    );
    assert!(!clean && !problem.contains("secret") && !problem.contains('\n'), "{problem}");
    let (lines, clean) = write(StreamFormat::Ndjson, items()).await;
    assert_eq!(lines, format!("1\n{{\"error\":{problem}}}\n"));
    assert!(!clean);
}

#[tokio::test]
async fn shutdown_ends_an_endless_stream_with_a_problem() {
    let endless = Box::pin(stream::pending());
    let mut body = super::items(endless, StreamFormat::Ndjson, "/a".into(), id(), async {});
    let line = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(line.starts_with(b"{\"error\":") && line.ends_with(b"}\n"), "{line:?}");
    assert!(body.frame().await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn heartbeats_are_sent_in_event_streams_only() {
    let quiet = || -> Chunks { Box::pin(stream::pending()) };
    let mut events = super::items(quiet(), StreamFormat::Sse, "/a".into(), id(), pending());
    let begun = Instant::now();
    for beat in 1..=3 {
        let frame = events.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((&*frame, begun.elapsed().as_secs()), (b":\n\n".as_slice(), 15 * beat));
    }
    let mut lines = super::items(quiet(), StreamFormat::Ndjson, "/a".into(), id(), pending());
    let silence = tokio::time::timeout(HEARTBEAT_INTERVAL * 100, lines.frame()).await;
    assert!(silence.is_err());
}
