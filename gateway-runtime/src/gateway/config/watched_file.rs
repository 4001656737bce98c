//! The configuration's file, looked at again while the gateway runs.

use std::{path::Path, time::SystemTime};

use crate::{
    base::start_error::StartError,
    gateway::config::{Flags, Settings, Sources},
};

/// The file, and what is laid under and over it.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    defaults: String,
    flags: Flags,
    seen: Option<Stamp>,
}

/// When it was written last, and how long it is.
type Stamp = (SystemTime, u64);

impl ConfigFile {
    /// The file that `flags` name, as it is now.
    pub(crate) fn new(defaults: &str, flags: Flags) -> Self {
        let mut this = Self { defaults: defaults.to_owned(), flags, seen: None };
        this.seen = this.stamp();
        this
    }

    pub(crate) fn path(&self) -> &Path {
        self.flags.file()
    }

    /// The settings anew, if the file is another than when it was last asked about. It need not be there.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in them.
    pub(crate) fn reload_if_changed(&mut self) -> Option<Result<Settings, StartError>> {
        (self.stamp() != self.seen).then(|| self.read())
    }

    /// Reads the file, the credentials and what is laid over them again.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in them.
    pub(crate) fn read(&mut self) -> Result<Settings, StartError> {
        self.seen = self.stamp();
        Settings::read(Sources::read(&self.defaults, &self.flags)?.with_credentials()?)
    }

    fn stamp(&self) -> Option<Stamp> {
        let metadata = std::fs::metadata(self.path()).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }
}
