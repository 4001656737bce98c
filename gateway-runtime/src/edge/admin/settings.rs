//! `[admin]`: the operator's listener, and who may ask there.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{secret::Secret, start_error::StartError};

/// `[admin]`: the operator's listener. Without this section there is none.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdminSettings {
    /// Whether it listens at all.
    pub enabled: bool,
    /// Where it listens: `127.0.0.1:9090`. Port 0 is any free one.
    pub listen: SocketAddr,
    /// The token of whoever operates the gateway; `GATEWAY__ADMIN__TOKEN` in the environment. They are `admin` in what is
    /// kept of changes.
    pub token: Option<Secret>,
    /// Tokens of several operators, by their names.
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

/// A shorter token can be guessed.
const MIN_TOKEN_BYTES: usize = 16;

impl AdminSettings {
    /// What is wrong with the settings of a listener that is enabled.
    ///
    /// # Errors
    ///
    /// As [`owners`](Self::owners).
    pub(crate) fn check(&self) -> Result<(), StartError> {
        if self.enabled { self.owners().map(drop) } else { Ok(()) }
    }

    /// The tokens, with the names of their owners.
    ///
    /// # Errors
    ///
    /// When one is too short or belongs to two, and when there is none and other machines can reach the listener.
    pub(super) fn owners(&self) -> Result<Vec<(String, Secret)>, StartError> {
        let one = self.token.iter().map(|token| ("admin".to_owned(), token.clone()));
        let named = self.tokens.iter().map(|(name, token)| (name.clone(), token.clone()));
        let owners: Vec<_> = one.chain(named).collect();
        let mut problems = Vec::new();
        for (place, (name, token)) in owners.iter().enumerate() {
            if token.expose().len() < MIN_TOKEN_BYTES
                || !token.expose().bytes().all(|byte| byte.is_ascii_graphic())
            {
                problems.push(format!(
                    "the token of `{name}` in [admin] must be at least {MIN_TOKEN_BYTES} printable ASCII characters without \
                     spaces; `openssl rand -hex 32` makes a good one"
                ));
            }
            if let Some((other, _)) =
                owners[..place].iter().find(|(_, other)| other.expose() == token.expose())
            {
                problems.push(format!(
                    "`{other}` and `{name}` in [admin] have the same token; each needs its own"
                ));
            }
        }
        if owners.is_empty() && !self.listen.ip().is_loopback() {
            problems.push(format!(
                "other machines can reach admin.listen ({}), and whoever does could do everything: set admin.token \
                 (GATEWAY__ADMIN__TOKEN) or [admin.tokens], listen on loopback, or set admin.enabled = false",
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
    fn without_a_token_it_is_for_this_machine_alone() {
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
    fn every_bad_token_is_told_and_none_repeated() {
        let all = "token = 'short'\ntokens = { a = '0123456789abcdef', b = '0123456789abcdef', c = '0123456789 abcdef' }";
        let error = settings(all).owners().unwrap_err();
        assert_eq!(error.problems().len(), 3, "{error}");
        assert!(
            !error.to_string().contains("0123456789") && !error.to_string().contains("short"),
            "{error}"
        );
    }
}
