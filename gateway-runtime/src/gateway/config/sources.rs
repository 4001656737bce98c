//! The sources of the configuration: the program's defaults, the file, the credentials, the environment, the flags.

use crate::{
    base::start_error::StartError,
    gateway::config::{Credentials, flags::Flags, tree::Tree},
};

/// Where settings come from, read but not yet laid over each other: the credentials are told of by both.
#[derive(Debug)]
pub(crate) struct Sources {
    /// The program's defaults and the file.
    defaults_and_file: Tree,
    /// The environment and the flags.
    env_and_flags: Tree,
}

impl Sources {
    /// Reads all but the credentials.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read.
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

    /// One tree of them.
    pub(crate) fn without_credentials(self) -> Tree {
        let Self { defaults_and_file: mut under, env_and_flags: over } = self;
        under.add(over);
        under
    }

    /// One tree of them and the credentials, which are opened if a profile is configured.
    ///
    /// # Errors
    ///
    /// When they cannot be opened.
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
