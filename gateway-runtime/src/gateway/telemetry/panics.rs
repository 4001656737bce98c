//! Panics as log lines: in a JSON log a panic is a JSON line, and a log reader that stalls stops no
//! thread that panics.

use std::{
    any::Any,
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
    sync::Arc,
    thread,
    time::Duration,
};

use crate::gateway::telemetry::queue::LogQueue;

/// The target of the lines.
const TARGET: &str = "gateway::panic";

/// The time that a process which a panic ends waits for its last lines.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Installs the hook that logs panics. The previous hook writes those that the level filters out.
pub(super) fn install(queue: Arc<LogQueue>) {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !tracing::enabled!(target: TARGET, tracing::Level::ERROR) {
            return before(info);
        }
        log(info);
        if cfg!(panic = "abort") {
            queue.flush(FLUSH_TIMEOUT);
        }
    }));
}

fn log(info: &PanicHookInfo<'_>) {
    // Captured only with RUST_BACKTRACE.
    let backtrace = Backtrace::capture();
    let backtrace =
        (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(
        target: TARGET,
        thread = thread::current().name().unwrap_or("unnamed"),
        location = info.location().map(tracing::field::display),
        backtrace,
        "panicked: {}",
        message(info.payload())
    );
}

fn message(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<&'static str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("(not a text)")
}
