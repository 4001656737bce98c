//! The gateway as a program: it serves until a signal stops it, or prints `--list`, `--version` or
//! `--help`.

use std::{
    io::{self, Write},
    sync::Arc,
};

use tokio::signal::unix::{self, Signal, SignalKind};

use crate::{
    base::start_error::StartError,
    bus::MemoryBroker,
    edge::http::Info,
    gateway::{
        Gateway, RunningGateway,
        config::{Action, help, program_name},
        list, telemetry,
    },
};

impl Gateway {
    /// Serves until SIGTERM or SIGINT, on its own threads: for a `main` without a runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if the gateway cannot start.
    pub fn run(self) -> Result<(), StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StartError::new(format!("cannot create a runtime: {error}")))?;
        runtime.block_on(self.serve())
    }

    /// Serves until SIGTERM or SIGINT, then finishes the calls in flight; or prints the output of
    /// `--list`, `--version` or `--help`. SIGHUP reads the configuration again.
    ///
    /// # Errors
    ///
    /// Returns an error if the gateway cannot start.
    pub async fn serve(self) -> Result<(), StartError> {
        match self.action {
            Action::Serve => {}
            Action::Help => return print(&help(&program_name())),
            Action::Version => return print(&self.version_line()),
            Action::List => {
                self.check()?;
                let redis = self.settings.redis.open().await?;
                let publisher = self.publisher(&(Arc::new(MemoryBroker::default()) as _));
                return print(&list::of(&self.registry(redis.as_ref(), &publisher)?));
            }
        }
        if !self.problems().is_empty() {
            // The start fails, and reports these problems with those that it finds itself.
            return self.start().await.map(drop);
        }
        // Dropped last, so that the log is flushed after its last line.
        let _log = telemetry::init(&self.settings.log)?;
        // From here on, no signal ends the process by itself.
        let mut signals = Signals::new()?;
        let mut running = self.start().await?;
        match signals.stopped(&mut running).await {
            Ok(signal) => {
                tracing::info!(signal, "stopping");
                running.stop().await
            }
            Err(failure) => Err(failure),
        }
    }

    /// Returns the output of `--version`: `email 1.2.3 (gateway-runtime 0.1.0)`.
    fn version_line(&self) -> String {
        let configured = Some(self.settings.info.version.as_str())
            .filter(|version| *version != Info::default().version);
        let own = self.version.as_deref().or(configured);
        let own = own.map_or(String::new(), |version| format!(" {version}"));
        format!("{}{own} (gateway-runtime {})", program_name(), env!("CARGO_PKG_VERSION"))
    }
}

/// The signals that a gateway handles.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> Result<Self, StartError> {
        let listen = |kind| {
            unix::signal(kind)
                .map_err(|error| StartError::new(format!("cannot listen for signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for SIGTERM or SIGINT, and reloads the configuration for each SIGHUP.
    ///
    /// # Errors
    ///
    /// Returns the reason if the gateway ended by itself.
    async fn stopped(&mut self, running: &mut RunningGateway) -> Result<&'static str, StartError> {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return Ok("SIGTERM"),
                _ = self.interrupt.recv() => return Ok("SIGINT"),
                _ = self.hangup.recv() => {
                    if !running.reload() {
                        tracing::warn!("SIGHUP ignored: no configuration file to reload");
                    }
                }
                failure = running.failed() => return Err(failure),
            }
        }
    }
}

fn print(text: &str) -> Result<(), StartError> {
    let unable = |error| StartError::new(format!("cannot write to standard output: {error}"));
    writeln!(io::stdout().lock(), "{text}").map_err(unable)
}
