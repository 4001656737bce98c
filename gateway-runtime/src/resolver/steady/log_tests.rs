//! The log of a source: a line for each change of its state, none for each question.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::watch, time::sleep};
use tracing_subscriber::fmt::MakeWriter;

use super::Steady;
use crate::resolver::{Endpoint, Snapshot};

/// A buffer that captures the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Returns the lines since the last look.
    fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    fn assert_one(&self, parts: &[&str]) {
        let lines = self.take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(parts.iter().all(|part| lines[0].contains(part)), "{lines:?}");
    }
}

fn ten() -> Vec<Endpoint> {
    let url = |port| format!("http://10.0.0.1:{port}");
    (1..=10).map(|port| Endpoint::parse(&url(port)).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_change_of_state_has_one_line() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).without_time().finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let (sender, _snapshots) = watch::channel(Snapshot::unknown());
    let mut steady = Steady::new("dns", "reports:80".to_owned(), sender);
    let wait = |seconds| sleep(Duration::from_secs(seconds));

    steady.answered(ten());
    steady.answered(ten());
    assert_eq!(log.take(), [""; 0]);

    steady.during(wait(7)).await;
    for _ in 0..10 {
        steady.failed(&"SERVFAIL");
    }
    log.assert_one(&["WARN", "cannot ask", "reports:80", "age_s=7", "SERVFAIL"]);
    steady.during(wait(400)).await;
    log.assert_one(&["WARN", "instances are gone", "too old", "instances=10", "remaining=0"]);
    steady.failed(&"SERVFAIL");
    assert_eq!(log.take(), [""; 0]);
    steady.answered(ten());
    log.assert_one(&["INFO", "again", "away_s=407"]);

    steady.answered(Vec::new());
    steady.answered(Vec::new());
    log.assert_one(&["WARN", "sudden loss", "instances=10", "remaining=0"]);
    steady.answered(ten());
    log.assert_one(&["INFO", "back"]);
    steady.answered(Vec::new());
    log.assert_one(&["WARN", "sudden loss"]);
    steady.during(wait(31)).await;
    log.assert_one(&["WARN", "instances are gone", "the loss stands"]);
}
