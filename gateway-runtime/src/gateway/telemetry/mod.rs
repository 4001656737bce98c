//! The log: JSON, one object a line, for machines; a readable form on a terminal.
//!
//! `level` parses `log.level`. `json` and `text` are the two forms, in whose lines `escape`
//! replaces harmful characters. `queue` writes the lines on a thread of its own, and `panics` logs
//! panics.

mod escape;
mod json;
mod level;
mod panics;
mod queue;
#[cfg(test)]
mod tests;
mod text;

use std::{
    fs::File,
    io::{self, IsTerminal, Write},
    os::fd::AsFd,
    sync::Arc,
    time::Duration,
};

use schemars::JsonSchema;
use serde::Deserialize;
use tracing_subscriber::{Registry, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    base::start_error::StartError,
    gateway::telemetry::{
        json::JsonLines,
        queue::{LogQueue, QueueWriter},
        text::TextLines,
    },
};

/// The time that the end of the program waits for the last lines.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// `[log]`: the level and the form of the log.
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

impl LogSettings {
    /// Returns the problems of the settings.
    pub(crate) fn problems(&self) -> Vec<String> {
        let problems = level::parse(&self.level).err().unwrap_or_default();
        problems
            .into_iter()
            .map(|problem| format!("`log.level` in the configuration: {problem}"))
            .collect()
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// `pretty` on a terminal, else `json`.
    Auto,
    /// JSON, one object a line, for machines.
    Json,
    /// Readable lines, for people.
    Pretty,
}

/// A guard that waits for the last lines when it is dropped: for a second at most, and not for a
/// reader that stalls.
#[derive(Debug)]
#[must_use = "lines that are not written when the program ends are lost"]
pub struct LogGuard(Option<Arc<LogQueue>>);

impl Drop for LogGuard {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            queue.flush(FLUSH_TIMEOUT);
        }
    }
}

/// Starts logging to standard error, panics included, unless the program has a subscriber already.
///
/// # Errors
///
/// Returns an error if the level is invalid, or no thread can be started.
pub fn init(settings: &LogSettings) -> Result<LogGuard, StartError> {
    StartError::from_problems(settings.problems())?;
    let targets = level::parse(&settings.level).map_err(StartError::from_nonempty)?;
    let is_terminal = io::stderr().is_terminal();
    let is_text = match settings.format {
        LogFormat::Pretty => true,
        LogFormat::Json => false,
        LogFormat::Auto => is_terminal,
    };
    let is_colored =
        is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let queue = LogQueue::start(standard_error())
        .map_err(|error| StartError::new(format!("cannot start the log thread: {error}")))?;
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(is_colored)
        .with_writer(QueueWriter(Arc::clone(&queue)));
    let registry = Registry::default().with(targets);
    let started = if is_text {
        registry.with(lines.event_format(TextLines)).try_init()
    } else {
        registry.with(lines.event_format(JsonLines)).try_init()
    };
    // The error means that the program has installed its own subscriber, which stays.
    if started.is_err() {
        return Ok(LogGuard(None));
    }
    panics::install(Arc::clone(&queue));
    Ok(LogGuard(Some(queue)))
}

/// Returns standard error without the lock of the standard library. A reader that stalls would hold
/// that lock, and block every thread that prints.
fn standard_error() -> Box<dyn Write + Send> {
    match io::stderr().as_fd().try_clone_to_owned() {
        Ok(descriptor) => Box::new(File::from(descriptor)),
        Err(_) => Box::new(io::stderr()),
    }
}
