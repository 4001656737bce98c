//! Operator authentication: bearer tokens; without tokens, loopback requests only (SEMANTICS §13).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::{HeaderMap, header, request::Parts};
use subtle::ConstantTimeEq;

use crate::{
    base::{
        authority::Authority,
        digest::Sha256,
        error::{Code, Error},
        start_error::StartError,
    },
    edge::admin::AdminSettings,
};

/// The authenticator of operators.
#[derive(Debug)]
pub(super) struct OperatorAuth {
    /// The names of operators, and the SHA-256 of their tokens.
    owners: Vec<(Arc<str>, [u8; 32])>,
}

/// An operator.
#[derive(Clone, Debug)]
pub(super) struct Operator {
    /// The name of the operator, which is stored with each change.
    pub(super) name: Arc<str>,
    /// The SHA-256 of the token; of the empty string where no token is required.
    pub(super) token_hash: [u8; 32],
}

impl OperatorAuth {
    /// Creates the authenticator of the operators in the settings.
    ///
    /// # Errors
    ///
    /// The errors of [`AdminSettings::owners`].
    pub(super) fn new(settings: &AdminSettings) -> Result<Self, StartError> {
        let owners = settings.owners()?.into_iter();
        Ok(Self {
            owners: owners.map(|(name, token)| (name.into(), Sha256::of(token.expose()))).collect(),
        })
    }

    /// Returns whether tokens are configured.
    pub(super) fn requires_token(&self) -> bool {
        !self.owners.is_empty()
    }

    /// Checks that a request to a listener without tokens is from a program on this machine.
    ///
    /// Such a listener is on loopback. A page in a browser on this machine reaches it as well, by a
    /// name of its own that resolves to loopback (DNS rebinding) or from another origin (`Origin`).
    /// Every request whose authority is not a loopback host, or that has an `Origin`, is refused.
    ///
    /// # Errors
    ///
    /// `forbidden` for any other request.
    pub(super) fn check_host(&self, head: &Parts) -> Result<(), Error> {
        if self.requires_token() {
            return Ok(());
        }
        let authority = Authority::effective(head.version, &head.uri, &head.headers).ok().flatten();
        if authority.is_some_and(Authority::is_loopback)
            && !head.headers.contains_key(header::ORIGIN)
        {
            return Ok(());
        }
        let detail = "no operator token is configured; only requests from this machine to its \
                      loopback address are accepted";
        Err(Error::new(Code::FORBIDDEN, detail))
    }

    /// Returns the operator whose token the header fields hold. Call
    /// [`check_host`](Self::check_host) first.
    ///
    /// # Errors
    ///
    /// `unauthenticated`, with the same detail for every cause.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<Operator, Error> {
        if !self.requires_token() {
            return Ok(Operator { name: "local".into(), token_hash: Sha256::of("") });
        }
        let refused = || {
            Error::new(
                Code::UNAUTHENTICATED,
                "authentication required; send an operator's token as `Authorization: Bearer …`",
            )
        };
        let mut fields = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else { return Err(refused()) };
        let (scheme, token) =
            field.to_str().ok().and_then(|field| field.split_once(' ')).ok_or_else(refused)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused());
        }
        let presented = Sha256::of(token.trim_matches(' '));
        // Every token is compared, each in constant time, so the duration reveals nothing about any
        // of them.
        let mut found = None;
        for (name, hash) in &self.owners {
            if bool::from(hash.ct_eq(&presented)) {
                found = Some(name);
            }
        }
        let name = found.ok_or_else(refused)?;
        Ok(Operator { name: Arc::clone(name), token_hash: presented })
    }
}
