//! The configuration file, which is polled while the gateway runs.

use std::{path::Path, time::SystemTime};

use crate::{
    base::start_error::StartError,
    gateway::config::{Flags, Settings, Sources},
};

/// The file, and the sources under and over it.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    defaults: String,
    flags: Flags,
    seen: Option<Stamp>,
}

/// The time of the last write, and the length in bytes.
type Stamp = (SystemTime, u64);

impl ConfigFile {
    /// Creates a handle on the file that `flags` name, as it is now.
    pub(crate) fn new(defaults: &str, flags: Flags) -> Self {
        let mut this = Self { defaults: defaults.to_owned(), flags, seen: None };
        this.seen = this.stamp();
        this
    }

    pub(crate) fn path(&self) -> &Path {
        self.flags.file()
    }

    /// Returns the new settings if the file has changed since it was last read. It need not exist.
    ///
    /// # Errors
    ///
    /// Returns all problems of the settings.
    pub(crate) fn reload_if_changed(&mut self) -> Option<Result<Settings, StartError>> {
        (self.stamp() != self.seen).then(|| self.read())
    }

    /// Reads the file, the credentials and the sources over them again.
    ///
    /// # Errors
    ///
    /// Returns all problems of the settings.
    pub(crate) fn read(&mut self) -> Result<Settings, StartError> {
        self.seen = self.stamp();
        Settings::read(Sources::read(&self.defaults, &self.flags)?.with_credentials()?)
    }

    fn stamp(&self) -> Option<Stamp> {
        let metadata = std::fs::metadata(self.path()).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }
}
