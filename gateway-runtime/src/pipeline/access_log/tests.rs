//! Unit tests of the layer: one line for each call, at its end.

use std::{io, sync::Mutex};

use futures_util::{StreamExt, stream};
use tower::ServiceExt;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::{
    base::{error::Code, spec::Effect},
    pipeline::tests::{
        mock_service::{self, MockRequest, assert_passes_through, assert_readiness},
        test_call::TestMethod,
    },
};

/// The lines that were written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    /// Logs into this for as long as the guard lives, on this thread.
    fn capture(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(self.clone()).finish();
        tracing::subscriber::set_default(subscriber)
    }

    /// Takes the lines written so far.
    fn take(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines().filter(|line| line.contains(REQUEST_TARGET)).map(str::to_owned).collect()
    }

    #[track_caller]
    fn assert_one(&self, level: &str, fields: &str) {
        let lines = self.take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(level) && lines[0].contains(fields), "{lines:?}");
    }
}

#[tokio::test]
async fn readiness_failures_and_drops_pass_through() {
    let call = TestMethod::with_effect(Effect::Once).call();
    assert_readiness(TraceLayer, || call.invocation()).await;
    assert_passes_through(TraceLayer, || call.invocation()).await;
}

#[tokio::test]
async fn call_is_logged_and_counted_when_it_ends() {
    let lines = Lines::default();
    let _guard = lines.capture();
    for (outcome, level, fields) in [
        (Ok(Reply::Json("1".into())), "INFO", "status=200 code=\"\""),
        (Ok(Reply::Empty), "INFO", "status=204 code=\"\""),
        (Err(Error::new(Code::FORBIDDEN, "no")), "INFO", "status=403 code=\"forbidden\""),
        (Err(Error::internal("disk full")), "ERROR", "status=500 code=\"internal\""),
        (Err(Error::new(Code::TIMEOUT, "late")), "WARN", "status=504 code=\"timeout\""),
    ] {
        let method = TestMethod::with_effect(Effect::Once);
        let counts = &method.method.counts;
        let (inner, mut handle) = mock_service::pair();
        let future = tokio::spawn(TraceLayer.layer(inner).oneshot(method.call().invocation()));
        let request = handle.next_request().await;
        assert_eq!((lines.take().len(), counts.in_flight()), (0, 1), "logged before its end");
        let is_internal = matches!(&outcome, Err(error) if error.log_message().is_some());
        request.reply.send(outcome);
        let _ = future.await.unwrap();
        if is_internal {
            let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            assert!(text.contains("disk full"), "the log has the cause: {text}");
        }
        lines.assert_one(level, fields);
        assert_eq!(counts.in_flight(), 0);
        let counted: u64 = counts.by_code().map(|code| code.count).sum();
        assert_eq!(counted, 1);
    }
}

#[tokio::test]
async fn call_that_is_dropped_is_logged_as_cancelled() {
    let lines = Lines::default();
    let _guard = lines.capture();
    let method = TestMethod::with_effect(Effect::Once);
    let (inner, mut handle) = mock_service::pair();
    let future = tokio::spawn(TraceLayer.layer(inner).oneshot(method.call().invocation()));
    let MockRequest { mut reply, .. } = handle.next_request().await;
    future.abort();
    reply.dropped().await;
    let _ = future.await;
    lines.assert_one("INFO", "status=499 code=\"cancelled\"");
    assert_eq!(method.method.counts.in_flight(), 0);
}

#[tokio::test]
async fn stream_is_logged_when_it_has_ended() {
    let lines = Lines::default();
    let _guard = lines.capture();
    let call = TestMethod::with_effect(Effect::Read).call();
    for (fails, reads, fields) in [
        (false, 3, "status=200 code=\"\""),
        (true, 2, "status=200 code=\"provider-failed\""),
        (false, 1, "status=499 code=\"cancelled\""),
    ] {
        let second = match fails {
            true => Err(Error::new(Code::PROVIDER_FAILED, "cut")),
            false => Ok("2".into()),
        };
        let chunks: Chunks = Box::pin(stream::iter([Ok("1".into()), second]));
        let (inner, mut handle) = mock_service::pair();
        let future = tokio::spawn(TraceLayer.layer(inner).oneshot(call.invocation()));
        handle.answer(Ok(Reply::RawStream("text/plain", chunks))).await;
        let Ok(Reply::RawStream(_, mut chunks)) = future.await.unwrap() else {
            panic!("no stream")
        };
        for _ in 0..reads {
            assert!(lines.take().is_empty(), "logged before its end");
            chunks.next().await;
        }
        drop(chunks);
        lines.assert_one("", fields);
    }
}
