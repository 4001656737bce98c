//! A gateway as a program: it serves until it is told to stop, or prints what it was asked for.

use std::{
    io::{self, Write},
    sync::Arc,
};

use tokio::signal::unix::{self, SignalKind};

use super::{Gateway, listing};
use crate::{
    app::StartError,
    bus::MemoryBroker,
    config::{Action, HELP},
    telemetry,
};

impl Gateway {
    /// Serves until SIGTERM or SIGINT, on threads of its own: for a `main` without a runtime.
    ///
    /// # Errors
    ///
    /// When the gateway cannot start.
    pub fn run(self) -> Result<(), StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StartError::new(format!("no runtime can be made: {error}")))?;
        runtime.block_on(self.serve())
    }

    /// Serves until SIGTERM or SIGINT, then lets calls in flight finish; or prints what `--list` or `--help` ask for.
    ///
    /// # Errors
    ///
    /// When the gateway cannot start.
    pub async fn serve(self) -> Result<(), StartError> {
        match self.action {
            Action::Serve => {}
            Action::Help => return print(HELP),
            Action::List => {
                let redis = self.settings.redis.open().await?;
                let publisher = self.publisher(&(Arc::new(MemoryBroker::default()) as _));
                return print(&listing::of(&self.registry(redis.as_ref(), &publisher)?));
            }
        }
        telemetry::init(&self.settings.log)?;
        let mut running = self.start().await?;
        let failure = tokio::select! {
            signal = signal() => {
                tracing::info!(signal = signal?, "stopping");
                None
            }
            failure = running.failed() => Some(failure),
        };
        match failure {
            Some(failure) => Err(failure),
            None => running.stop().await,
        }
    }
}

/// SIGINT or SIGTERM.
async fn signal() -> Result<&'static str, StartError> {
    let unable = |error| StartError::new(format!("signals cannot be waited for: {error}"));
    let mut terminate = unix::signal(SignalKind::terminate()).map_err(unable)?;
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        interrupt = tokio::signal::ctrl_c() => interrupt.map(|()| "SIGINT").map_err(unable),
    }
}

fn print(text: &str) -> Result<(), StartError> {
    let unable = |error| StartError::new(format!("standard output cannot be written: {error}"));
    writeln!(io::stdout().lock(), "{text}").map_err(unable)
}
