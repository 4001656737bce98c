//! A service with slow methods, which record where they ran: in files that outlive their process,
//! and by thread.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex},
    time::Duration,
};

use gateway_runtime::prelude::*;

use crate::gate::gate;

/// The variable with the folder of a process that executes chores.
pub(super) const FOLDER: &str = "GATEWAY_TEST_CHORES";

/// The file that chores are recorded in.
static NOTES: LazyLock<File> = LazyLock::new(|| {
    let folder = std::env::var(FOLDER).unwrap();
    OpenOptions::new().append(true).create(true).open(notes(Path::new(&folder))).unwrap()
});

/// The number of calls waiting at each gate.
static WAITING: LazyLock<Mutex<HashMap<String, usize>>> = LazyLock::new(Mutex::default);

pub(super) fn notes(folder: &Path) -> PathBuf {
    folder.join("notes")
}

pub(super) fn waiting(name: &str) -> usize {
    WAITING.lock().unwrap().get(name).copied().unwrap_or(0)
}

/// A chore.
#[model]
pub(super) struct Chore {
    /// The number of the chore.
    number: u32,
    /// The duration in milliseconds.
    millis: u64,
}

/// A gate to wait at.
#[model]
pub(super) struct At {
    /// The name of the gate.
    name: String,
}

/// Executes chores.
#[service(name = "chores")]
struct Chores;

#[service]
impl Chores {
    /// Executes a chore, and records its beginning and its end: its effect is `once`.
    #[expose_method(POST)]
    async fn work(&self, chore: Chore) -> Result<()> {
        note("begun", chore.number);
        tokio::time::sleep(Duration::from_millis(chore.millis)).await;
        note("ended", chore.number);
        Ok(())
    }

    /// Returns the name of the thread, after waiting at a gate.
    #[expose_method(POST)]
    async fn thread(&self, at: At) -> Result<String> {
        *WAITING.lock().unwrap().entry(at.name.clone()).or_default() += 1;
        gate(&at.name).acquire().await?.forget();
        Ok(std::thread::current().name().unwrap_or_default().to_owned())
    }

    /// Blocks its thread at a gate, as no method should.
    #[expose_method(POST)]
    async fn block(&self, at: At) -> Result<()> {
        *WAITING.lock().unwrap().entry(at.name.clone()).or_default() += 1;
        while gate(&at.name).try_acquire().map(tokio::sync::SemaphorePermit::forget).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// Writes a line with one write, so that lines of several processes stay whole.
fn note(what: &str, number: u32) {
    (&*NOTES).write_all(format!("{what} {number}\n").as_bytes()).unwrap();
}
