//! The log for people: time, level and message, then the fields. The line of a call begins with its
//! method, status, duration and attempts.

use std::{fmt, time::Duration};

use serde::Deserialize;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use crate::{gateway::telemetry::escape::escape_text, pipeline::REQUEST_TARGET};

/// A formatter that writes one readable line an event.
#[derive(Debug)]
pub(super) struct TextLines;

impl<S, N> FormatEvent<S, N> for TextLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        SystemTime.format_time(&mut writer)?;
        write_level(&mut writer, *event.metadata().level())?;
        let mut fields = TextFields::default();
        event.record(&mut fields);
        if event.metadata().target() == REQUEST_TARGET {
            fields.write_call(&mut writer)?;
        } else {
            fields.write_message(&mut writer)?;
        }
        for (name, value) in &fields.0 {
            write!(writer, " {name}={}", escape_text(value))?;
        }
        writeln!(writer)
    }
}

fn write_level(writer: &mut Writer<'_>, level: Level) -> fmt::Result {
    if !writer.has_ansi_escapes() {
        return write!(writer, " {level:>5} ");
    }
    let color = match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    };
    write!(writer, " \u{1b}[{color}m{level:>5}\u{1b}[0m ")
}

/// The fields of an event that are not written yet, in their order.
#[derive(Default)]
struct TextFields(Vec<(&'static str, String)>);

impl TextFields {
    fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(field, _)| *field == name)?;
        Some(self.0.remove(place).1)
    }

    fn write_message(&mut self, writer: &mut Writer<'_>) -> fmt::Result {
        let message = self.take("message").unwrap_or_default();
        write!(writer, "{}", escape_text(&message))
    }

    /// Writes `currency/v1/rates 200 13ms  fixer_io 429 12ms → ecb_file ok 1ms `.
    fn write_call(&mut self, writer: &mut Writer<'_>) -> fmt::Result {
        self.take("message");
        self.0.retain(|(_, value)| !value.is_empty());
        let mut take = |name| self.take(name).unwrap_or_default();
        let (service, version, method) = (take("service"), take("version"), take("method"));
        let (status, micros) = (take("status"), take("duration_us"));
        let duration = duration(micros.parse().unwrap_or_default());
        // A request that did not become a call has no method.
        let subject = if service.is_empty() {
            let (method, path) = (take("http.request.method"), take("url.path"));
            // A message of a WebSocket has neither, nor has a head that cannot be read.
            if method.is_empty() { "a request".to_owned() } else { format!("{method} {path}") }
        } else {
            format!("{service}/v{version}/{method}")
        };
        write!(writer, "{}", escape_text(&format!("{subject} {status} {duration}")))?;
        let attempts = take("json.attempts");
        for (number, attempt) in attempts_of(&attempts).iter().enumerate() {
            let before = if number == 0 { " " } else { " →" };
            write!(writer, "{before} {attempt}")?;
        }
        write!(writer, " ")
    }
}

impl Visit for TextFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }
}

/// An attempt, as the JSON of the log has it.
#[derive(Deserialize)]
struct AttemptText<'a> {
    provider: &'a str,
    class: &'a str,
    status: Option<u16>,
    latency_us: u64,
}

impl fmt::Display for AttemptText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", escape_text(self.provider))?;
        match (self.class, self.status) {
            ("fulfilled", _) => write!(f, "ok")?,
            (_, Some(status)) => write!(f, "{status}")?,
            (class, None) => write!(f, "{}", escape_text(class))?,
        }
        write!(f, " {}", duration(self.latency_us))
    }
}

fn attempts_of(json: &str) -> Vec<AttemptText<'_>> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Formats a duration in its largest unit: `950µs`, `12ms`, `2.0s`.
fn duration(micros: u64) -> String {
    let duration = Duration::from_micros(micros);
    match micros {
        0..1_000 => format!("{micros}µs"),
        1_000..1_000_000 => format!("{:.0}ms", duration.as_secs_f64() * 1e3),
        _ => format!("{:.1}s", duration.as_secs_f64()),
    }
}
