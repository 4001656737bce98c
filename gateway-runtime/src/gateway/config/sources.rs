//! The sources of the configuration: the program's defaults, the file, the credentials, the
//! environment and the flags.

use std::ffi::OsString;

use crate::{
    base::start_error::StartError,
    gateway::config::{Credentials, flags::Flags, tree::Tree},
};

/// The sources, read but not merged: the location of the credentials may stand in either half.
#[derive(Debug)]
pub(crate) struct Sources {
    /// The program's defaults and the file.
    defaults_and_file: Tree,
    /// The environment and the flags.
    env_and_flags: Tree,
}

impl Sources {
    /// Reads all sources but the credentials.
    ///
    /// # Errors
    ///
    /// Returns an error if a source cannot be read.
    pub(crate) fn read(defaults: &str, flags: &Flags) -> Result<Self, StartError> {
        let mut under = Tree::from_toml(defaults, "the program's defaults")?;
        under.add(Tree::from_file(flags.file(), flags.config.is_some())?);
        let mut over = Tree::default();
        over.add_env(
            std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))),
        )?;
        let mut last = Tree::default();
        last.add_flags(&flags.set)?;
        over.add(last);
        Ok(Self { defaults_and_file: under, env_and_flags: over })
    }

    /// Merges the sources without the credentials.
    pub(crate) fn without_credentials(self) -> Tree {
        let Self { defaults_and_file: mut under, env_and_flags: over } = self;
        under.add(over);
        under
    }

    /// Merges the sources and the credentials, which are opened if a profile is configured.
    ///
    /// # Errors
    ///
    /// Returns an error if the credentials cannot be opened.
    pub(crate) fn with_credentials(self) -> Result<Tree, StartError> {
        let Self { defaults_and_file: mut under, env_and_flags: over } = self;
        let mut all = under.clone();
        all.add(over.clone());
        if let Some(credentials) = Credentials::of(&all)?.configured()? {
            under.add(credentials);
        }
        under.add(over);
        Ok(under)
    }
}

impl Credentials {
    /// Reads `[credentials]` from the program's defaults, `gateway.toml`, the environment and these
    /// arguments.
    ///
    /// # Errors
    ///
    /// Returns an error if one of the sources cannot be read, or `[credentials]` is invalid.
    pub fn from_arguments_over(
        defaults: &str,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, StartError> {
        Self::of(&Sources::read(defaults, &Flags::parse(arguments)?)?.without_credentials())
    }
}
