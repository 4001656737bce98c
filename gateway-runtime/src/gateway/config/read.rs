//! From the tree of keys to typed settings; every problem at once.

use crate::{
    base::start_error::StartError,
    gateway::config::{renamed::take_renamed, settings::Settings, tree::Tree},
    json::section::parse_section,
};

impl Settings {
    /// Reads the settings from a tree.
    ///
    /// # Errors
    ///
    /// Returns every key that is unknown or invalid.
    pub(crate) fn read(tree: Tree) -> Result<Self, StartError> {
        let (mut value, origins) = tree.into_parts();
        let mut problems = take_renamed(&mut value);
        match parse_section("", value) {
            Ok(settings) if problems.is_empty() => return Ok(settings),
            Ok(_) => {}
            Err(others) => problems.extend(others),
        }
        Err(StartError::from_nonempty(problems).map(|problem| origins.attributed(problem)))
    }
}
