use std::sync::{Arc, Mutex};

use tracing_subscriber::{Registry, fmt::MakeWriter, layer::SubscriberExt};

use super::*;
use crate::pipeline::REQUEST_TARGET;

/// A buffer that captures the log.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Returns the single line that `log` writes.
fn logged(is_text: bool, log: impl FnOnce()) -> String {
    let sink = Sink::default();
    let lines = tracing_subscriber::fmt::layer().with_writer(sink.clone()).with_ansi(false);
    if is_text {
        tracing::subscriber::with_default(
            Registry::default().with(lines.event_format(TextLines)),
            log,
        );
    } else {
        tracing::subscriber::with_default(
            Registry::default().with(lines.event_format(JsonLines)),
            log,
        );
    }
    let written = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert_eq!(written.matches('\n').count(), 1, "{written}");
    written
}

#[test]
fn json_line_is_one_object() {
    let written = logged(false, || {
        tracing::info!(
            status = 200,
            "json.attempts" = r#"[{"provider":"a"}]"#,
            quoted = "a \"b\"\n",
            "json.bad" = "{",
            "done"
        );
    });
    let line: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(line["status"], 200);
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message"], "done");
    assert_eq!(line["attempts"][0]["provider"], "a");
    assert_eq!(line["quoted"], "a \"b\"\n");
    assert_eq!(line["json.bad"], "{", "what is no JSON stays text");
    assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
}

#[test]
fn no_line_carries_deceptive_characters() {
    let hostile = "\u{1b}[2J\u{7f}\u{9b}31m\u{2028}\u{2029}\u{202e}\u{2066}\r\nWARN forged";
    let attempts = serde_json::json!([{ "provider": hostile }]).to_string();
    let log = || {
        tracing::warn!(
            detail = hostile,
            debugged = ?hostile,
            "json.attempts" = attempts,
            "{hostile}"
        );
        // A field of a call's line too.
    };
    let call = || {
        tracing::info!(
            target: REQUEST_TARGET,
            method = hostile,
            account = hostile,
            "json.attempts" = attempts,
            "call"
        );
    };
    for is_text in [false, true] {
        for written in [logged(is_text, log), logged(is_text, call)] {
            let is_raw = |c: char| {
                c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            assert!(!written.trim_end_matches('\n').contains(is_raw), "{written:?}");
        }
    }
    let line: serde_json::Value = serde_json::from_str(&logged(false, log)).unwrap();
    assert_eq!(
        (&line["message"], &line["attempts"][0]["provider"]),
        (&hostile.into(), &hostile.into())
    );
}

#[test]
fn text_line_of_a_call_begins_with_its_outcome() {
    let attempts = r#"[
        {"provider":"fixer_io","capability":"rates","method":"rates","class":"rejected",
            "status":429,"latency_us":12340,"why":"status 429"},
        {"provider":"slow","class":"not-sent","latency_us":2000000},
        {"provider":"ecb_file","class":"fulfilled","latency_us":950}
    ]"#;
    let written = logged(true, || {
        tracing::info!(
            target: REQUEST_TARGET,
            request_id = "abc",
            service = "currency",
            version = 1,
            method = "rates",
            status = 200,
            code = "",
            duration_us = 13_400_u64,
            account = None::<&str>,
            "json.attempts" = attempts,
            "call"
        );
    });
    let (time, rest) = written.split_once(' ').unwrap();
    assert!(time.ends_with('Z') && time.len() == "2026-11-30T21:20:00.123456Z".len(), "{written}");
    let attempts = "fixer_io 429 12ms → slow not-sent 2.0s → ecb_file ok 950µs";
    assert_eq!(rest, format!(" INFO currency/v1/rates 200 13ms  {attempts}  request_id=abc\n"));
}

#[test]
fn text_line_of_a_refused_request_names_the_request() {
    let written = logged(true, || {
        tracing::info!(
            target: "gateway::request",
            request_id = "abc",
            "http.request.method" = "GET",
            "url.path" = "/services/weather/v1/nwo",
            status = 404,
            duration_us = 62_u64,
            "refused"
        );
    });
    assert!(
        written.ends_with(" INFO GET /services/weather/v1/nwo 404 62µs  request_id=abc\n"),
        "{written}"
    );
}

#[test]
fn text_line_of_another_event_has_its_message_first() {
    let written = logged(true, || tracing::warn!(file = "a b", "configuration reloaded"));
    assert!(written.ends_with("  WARN configuration reloaded file=a b\n"), "{written}");
}

#[test]
fn wrong_level_is_a_problem() {
    let settings = LogSettings { level: "inof".to_owned(), ..LogSettings::default() };
    let error = init(&settings).unwrap_err().to_string();
    assert!(
        error.contains("`log.level` in the configuration: unknown level `inof`\nhelp:"),
        "{error}"
    );
}
