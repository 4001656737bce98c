//! Logs: JSON, one object a line, for machines; a readable form on a terminal.

use std::{fmt, io::IsTerminal};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Registry,
    filter::{LevelFilter, Targets},
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::app::StartError;

/// `[log]`: what is logged, and how.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// The least severe level, and others for single targets: `info`, `warn,gateway::request=info`.
    pub level: String,
    /// The form of the lines.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Auto }
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// `pretty` on a terminal, else `json`.
    Auto,
    /// For machines.
    Json,
    /// For people.
    Pretty,
}

/// Starts logging to standard error, unless the program already logs in a way of its own.
///
/// # Errors
///
/// When the level cannot be read.
pub fn init(settings: &LogSettings) -> Result<(), StartError> {
    let mut targets: Targets = settings.level.parse().map_err(|_| {
        StartError::new(format!(
            "`log.level` in the configuration: `{}` is no level; write error, warn, info, debug, trace or off, or a \
             list such as `info,gateway::request=warn`",
            settings.level
        ))
    })?;
    if !settings.level.contains("lapin") {
        // It tells of each message that comes back, with all that is in it.
        targets = targets.with_target("lapin", LevelFilter::OFF);
    }
    let pretty = match settings.format {
        LogFormat::Pretty => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = Registry::default().with(targets);
    // An error means that the program has a subscriber already; it knows better.
    let _ = if pretty {
        registry.with(lines.with_target(false)).try_init()
    } else {
        registry.with(lines.event_format(JsonLines)).try_init()
    };
    Ok(())
}

/// One JSON object a line. A field whose name begins with `json.` is taken for JSON, not for text.
struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let mut line = Line(String::with_capacity(512));
        line.0.push_str("{\"time\":\"");
        SystemTime.format_time(&mut Writer::new(&mut line.0))?;
        line.0.push('"');
        line.field("level", metadata.level().as_str());
        line.field("target", metadata.target());
        event.record(&mut line);
        line.0.push('}');
        writeln!(writer, "{}", line.0)
    }
}

/// A JSON object that is being written.
struct Line(String);

impl Line {
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

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        // Not by `RawValue`: with that feature of serde_json, whoever sends JSON could have strings parsed as JSON.
        match field.name().strip_prefix("json.") {
            Some(name) if serde_json::from_str::<IgnoredAny>(value).is_ok() => self.json_field(name, value),
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What is logged goes here.
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

    #[test]
    fn a_line_is_one_json_object() {
        let sink = Sink::default();
        let writer = sink.clone();
        let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).event_format(JsonLines);
        tracing::subscriber::with_default(Registry::default().with(lines), || {
            tracing::info!(
                status = 200,
                "json.attempts" = r#"[{"provider":"a"}]"#,
                quoted = "a \"b\"\n",
                "json.bad" = "{",
                "done"
            );
        });
        let written = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert_eq!(written.matches('\n').count(), 1, "{written}");
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
    fn a_wrong_level_is_explained() {
        let settings = LogSettings { level: "loud=very".to_owned(), ..LogSettings::default() };
        assert!(init(&settings).unwrap_err().to_string().contains("write error, warn, info"));
    }
}
