//! The log for machines: one JSON object a line.

use std::fmt;

use serde::{Serialize, de::IgnoredAny};
use tracing::{
    Event, Subscriber,
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

use crate::gateway::telemetry::escape::escape_json;

/// A formatter that writes one JSON object a line. A field whose name begins with `json.` is copied
/// as JSON, not as text.
#[derive(Debug)]
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
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
        let metadata = event.metadata();
        let mut line = JsonLine(String::with_capacity(512));
        line.0.push_str("{\"time\":\"");
        SystemTime.format_time(&mut Writer::new(&mut line.0))?;
        line.0.push('"');
        line.field("level", metadata.level().as_str());
        line.field("target", metadata.target());
        event.record(&mut line);
        line.0.push('}');
        writeln!(writer, "{}", escape_json(&line.0))
    }
}

/// A JSON object that is being written.
struct JsonLine(String);

impl JsonLine {
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        if let Ok(value) = serde_json::to_string(value) {
            self.json_field(name, &value);
        }
    }

    fn json_field(&mut self, name: &str, json: &str) {
        if let Ok(name) = serde_json::to_string(name) {
            self.0.push(',');
            self.0.push_str(&name);
            self.0.push(':');
            self.0.push_str(json);
        }
    }
}

impl Visit for JsonLine {
    fn record_str(&mut self, field: &Field, value: &str) {
        // Not by `RawValue`: with that feature of serde_json, a client could have its strings
        // parsed as JSON.
        match field.name().strip_prefix("json.") {
            Some(name) if serde_json::from_str::<IgnoredAny>(value).is_ok() => {
                self.json_field(name, value)
            }
            _ => self.field(field.name(), value),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field.name(), &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field.name(), &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field.name(), &format!("{value:?}"));
    }
}
