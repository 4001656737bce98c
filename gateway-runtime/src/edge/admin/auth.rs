//! Operator authentication: bearer tokens; without tokens, loopback requests only (SEMANTICS §13).

use std::sync::Arc;

use http::{HeaderMap, header, request::Parts};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{
    base::{
        authority::Authority,
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
            owners: owners
                .map(|(name, token)| (name.into(), Sha256::digest(token.expose()).into()))
                .collect(),
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
        let detail = "without a token this listener responds only to programs on this machine, by \
                      its loopback address";
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
            return Ok(Operator { name: "local".into(), token_hash: Sha256::digest("").into() });
        }
        let refused = || {
            Error::new(
                Code::UNAUTHENTICATED,
                "send the operator's token as `Authorization: Bearer …`",
            )
        };
        let mut fields = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else { return Err(refused()) };
        let (scheme, token) =
            field.to_str().ok().and_then(|field| field.split_once(' ')).ok_or_else(refused)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused());
        }
        let presented: [u8; 32] = Sha256::digest(token.trim_matches(' ')).into();
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

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, Request};

    use super::*;

    fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn authenticator(settings: &str) -> OperatorAuth {
        OperatorAuth::new(&toml::from_str(settings).unwrap()).unwrap()
    }

    #[test]
    fn operators_are_known_by_their_tokens() {
        let authenticator =
            authenticator("token = 'of-the-operator-0'\ntokens = { alice = 'of-alice-11111111' }");
        let name = |value| {
            authenticator
                .admit(&headers(&[(header::AUTHORIZATION, value)]))
                .map(|it| it.name.to_string())
        };
        assert_eq!(name("Bearer of-the-operator-0").unwrap(), "admin");
        assert_eq!(name("bearer  of-alice-11111111").unwrap(), "alice");
        for bad in [
            "Bearer of-alice-1111111",
            "Bearer",
            "Bearer ",
            "of-alice-11111111",
            "Basic of-alice-11111111",
            "",
        ] {
            assert_eq!(name(bad).unwrap_err().code(), Code::UNAUTHENTICATED, "{bad}");
        }
        let twice = [
            (header::AUTHORIZATION, "Bearer of-the-operator-0"),
            (header::AUTHORIZATION, "Bearer x"),
        ];
        let mut map = HeaderMap::new();
        for (name, value) in twice {
            map.append(name, HeaderValue::from_static(value));
        }
        assert!(authenticator.admit(&map).is_err());
        assert!(authenticator.admit(&HeaderMap::new()).is_err());
    }

    #[test]
    fn without_tokens_only_programs_of_this_machine_are_let_in() {
        let check = |hosts: &[&str], target: &str, origin: Option<&str>| {
            let mut request = Request::get(target);
            for host in hosts {
                request = request.header(header::HOST, *host);
            }
            if let Some(origin) = origin {
                request = request.header(header::ORIGIN, origin);
            }
            let head = request.body(()).unwrap().into_parts().0;
            authenticator("").check_host(&head).map_err(|error| error.code())
        };
        for here in ["127.0.0.1:9090", "[::1]:9090", "localhost", "LOCALHOST:1"] {
            assert_eq!(check(&[here], "/", None), Ok(()), "{here}");
            assert_eq!(
                check(&[here], "/", Some("https://evil.example")),
                Err(Code::FORBIDDEN),
                "{here}"
            );
        }
        for elsewhere in [
            "evil.example",
            "evil.example:9090",
            "10.0.0.1:9090",
            "localhost.evil.example",
            "a{b}.evil.example:9090",
            "evil.example:1:2",
            "evil.example, localhost",
            "localhost, evil.example",
            "localhost:x",
            "u@localhost",
            "[::1",
            "",
            " ",
        ] {
            assert_eq!(check(&[elsewhere], "/", None), Err(Code::FORBIDDEN), "{elsewhere}");
        }
        assert_eq!(check(&[], "/", None), Err(Code::FORBIDDEN));
        assert_eq!(check(&["localhost", "evil.example"], "/", None), Err(Code::FORBIDDEN));
        assert_eq!(check(&["localhost"], "http://evil.example/", None), Err(Code::FORBIDDEN));
        assert_eq!(
            check(&["evil.example"], "http://localhost/", None),
            Ok(()),
            "RFC 9112 §3.2.2: the target wins"
        );
        let locked = authenticator("token = 'of-the-operator-0'");
        let head = Request::get("/")
            .header(header::HOST, "gateway.example")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        assert!(locked.check_host(&head).is_ok());
    }
}
