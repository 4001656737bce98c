//! `[admin]`: the settings of the operator's listener, and the tokens of operators.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{secret::Secret, start_error::StartError};

/// The operator's listener (`[admin]`). Without this section there is none.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdminSettings {
    /// Whether the listener is enabled.
    pub enabled: bool,
    /// The address of the listener; by default `127.0.0.1:9090`. Port 0 is any free one.
    pub listen: SocketAddr,
    /// The token of the operator `admin`, which is the name that changes are stored with;
    /// `GATEWAY__ADMIN__TOKEN` in the environment.
    pub token: Option<Secret>,
    /// The tokens of further operators, by their names.
    pub tokens: BTreeMap<String, Secret>,
}

impl Default for AdminSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9090)),
            token: None,
            tokens: BTreeMap::new(),
        }
    }
}

/// The minimum length of a token, in bytes. A shorter one can be guessed.
const MIN_TOKEN_BYTES: usize = 16;

impl AdminSettings {
    /// Checks the settings, if the listener is enabled.
    ///
    /// # Errors
    ///
    /// The errors of [`owners`](Self::owners).
    pub(crate) fn check(&self) -> Result<(), StartError> {
        if self.enabled { self.owners().map(drop) } else { Ok(()) }
    }

    /// Returns the names of the operators and their tokens.
    ///
    /// # Errors
    ///
    /// Reports every token that is too short, has other than printable ASCII characters, or belongs
    /// to two operators; and the lack of tokens if other machines can reach the listener.
    pub(super) fn owners(&self) -> Result<Vec<(String, Secret)>, StartError> {
        let one = self.token.iter().map(|token| ("admin".to_owned(), token.clone()));
        let named = self.tokens.iter().map(|(name, token)| (name.clone(), token.clone()));
        let owners: Vec<_> = one.chain(named).collect();
        let mut problems = Vec::new();
        for (index, (name, token)) in owners.iter().enumerate() {
            if token.expose().len() < MIN_TOKEN_BYTES
                || !token.expose().bytes().all(|byte| byte.is_ascii_graphic())
            {
                problems.push(format!(
                    "the token of `{name}` in [admin] must be at least {MIN_TOKEN_BYTES} printable \
                     ASCII characters without spaces\n\
                     help: generate one with `openssl rand -hex 32`"
                ));
            }
            if let Some((other, _)) =
                owners[..index].iter().find(|(_, other)| other.expose() == token.expose())
            {
                problems.push(format!(
                    "`{other}` and `{name}` in [admin] have the same token\nhelp: give each its own"
                ));
            }
        }
        if owners.is_empty() && !self.listen.ip().is_loopback() {
            problems.push(format!(
                "`admin.listen` ({}) is reachable from other machines, and no token is configured\n\
                 help: set `admin.token` (`GATEWAY__ADMIN__TOKEN`) or `[admin.tokens]`, listen on \
                 loopback, or set `admin.enabled = false`",
                self.listen
            ));
        }
        StartError::from_problems(problems)?;
        Ok(owners)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> AdminSettings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn listener_without_tokens_must_be_on_loopback() {
        assert!(settings("").owners().unwrap().is_empty());
        assert!(settings("listen = '[::1]:1'").owners().unwrap().is_empty());
        let error = settings("listen = '0.0.0.0:9090'").owners().unwrap_err().to_string();
        assert!(
            error.contains("GATEWAY__ADMIN__TOKEN") && error.contains("0.0.0.0:9090"),
            "{error}"
        );
        assert!(settings("listen = '0.0.0.0:9090'\ntoken = '0123456789abcdef'").owners().is_ok());
    }

    #[test]
    fn every_bad_token_is_reported_and_no_token_is_printed() {
        let all = "token = 'short'\ntokens = { a = '0123456789abcdef', b = '0123456789abcdef', \
                   c = '0123456789 abcdef' }";
        let error = settings(all).owners().unwrap_err();
        assert_eq!(error.problems().len(), 3, "{error}");
        assert!(
            !error.to_string().contains("0123456789") && !error.to_string().contains("short"),
            "{error}"
        );
    }
}
