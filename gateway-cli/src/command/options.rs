//! The options of a command line.

use std::ffi::OsString;

/// The options, from which a command takes its own.
pub(super) struct Options(Vec<OsString>);

impl Options {
    pub(super) fn new(options: impl Iterator<Item = OsString>) -> Self {
        Self(options.collect())
    }

    /// Returns whether an option without a value is among them.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|option| option == name)
    }

    /// Takes the value of an option out (`--to 1`, `--to=1`).
    pub(super) fn take(&mut self, name: &str) -> Result<Option<String>, String> {
        let is_it = |option: &OsString| {
            option
                .to_str()
                .and_then(|text| text.strip_prefix(name))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        let Some(at) = self.0.iter().position(is_it) else { return Ok(None) };
        let option = self.0.remove(at);
        let value = match option.to_string_lossy().split_once('=') {
            Some((_, value)) => value.to_owned(),
            None if at < self.0.len() => self.0.remove(at).to_string_lossy().into_owned(),
            None => return Err(format!("missing value for `{name}`")),
        };
        if self.0.iter().any(is_it) {
            Err(format!("duplicate option `{name}`\nhelp: set it once"))
        } else {
            Ok(Some(value))
        }
    }

    /// Returns the options that no command has taken: those of the configuration.
    pub(super) fn into_rest(self) -> Vec<OsString> {
        self.0
    }
}
