//! Who is asking: the owner of a token, or, where there are none, whoever is on this machine.

use std::{net::IpAddr, sync::Arc};

use http::{HeaderMap, header, uri::Authority};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::AdminSettings;
use crate::{
    app::StartError,
    error::{Code, Error},
};

/// Lets operators in.
#[derive(Debug)]
pub(super) struct Gate {
    /// The names of operators, and the SHA-256 of their tokens.
    owners: Vec<(Arc<str>, [u8; 32])>,
}

/// An operator.
#[derive(Clone, Debug)]
pub(super) struct Operator {
    /// Their name, as what they change is kept with it.
    pub(super) name: Arc<str>,
    /// The SHA-256 of their token; of nothing where none is needed.
    pub(super) proof: [u8; 32],
}

impl Gate {
    pub(super) fn new(settings: &AdminSettings) -> Result<Self, StartError> {
        let owners = settings.owners()?.into_iter();
        Ok(Self { owners: owners.map(|(name, token)| (name.into(), Sha256::digest(token.expose()).into())).collect() })
    }

    /// Whether there are tokens.
    pub(super) fn is_locked(&self) -> bool {
        !self.owners.is_empty()
    }

    /// Who the header fields say is asking.
    ///
    /// # Errors
    ///
    /// `unauthenticated`, in the same words whatever is wrong.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<Operator, Error> {
        if !self.is_locked() {
            return local(headers);
        }
        let refused = || Error::new(Code::UNAUTHENTICATED, "send the operator's token as `Authorization: Bearer …`");
        let mut fields = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else { return Err(refused()) };
        let (scheme, token) = field.to_str().ok().and_then(|field| field.split_once(' ')).ok_or_else(refused)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused());
        }
        let presented: [u8; 32] = Sha256::digest(token.trim_matches(' ')).into();
        // All are compared, each in constant time: how long it takes tells nothing of any.
        let mut found = None;
        for (name, hash) in &self.owners {
            if bool::from(hash.ct_eq(&presented)) {
                found = Some(name);
            }
        }
        let name = found.ok_or_else(refused)?;
        Ok(Operator { name: Arc::clone(name), proof: presented })
    }
}

/// Without tokens the listener is on loopback; but a page in a browser of this machine gets there too, by a name of its
/// own that leads to it (DNS rebinding) or as a stranger (`Origin`).
fn local(headers: &HeaderMap) -> Result<Operator, Error> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let is_here = host.is_none_or(|host| is_here(host.host()));
    if headers.contains_key(header::ORIGIN) || !is_here {
        return Err(Error::new(
            Code::FORBIDDEN,
            "without a token this listener answers only programs of this machine, by its loopback address",
        ));
    }
    Ok(Operator { name: "local".into(), proof: Sha256::digest("").into() })
}

fn is_here(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || literal.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn gate(settings: &str) -> Gate {
        Gate::new(&toml::from_str(settings).unwrap()).unwrap()
    }

    #[test]
    fn operators_are_known_by_their_tokens() {
        let gate = gate("token = 'of-the-operator-0'\ntokens = { alice = 'of-alice-11111111' }");
        let name = |value| gate.admit(&headers(&[(header::AUTHORIZATION, value)])).map(|it| it.name.to_string());
        assert_eq!(name("Bearer of-the-operator-0").unwrap(), "admin");
        assert_eq!(name("bearer  of-alice-11111111").unwrap(), "alice");
        for bad in ["Bearer of-alice-1111111", "Bearer", "Bearer ", "of-alice-11111111", "Basic of-alice-11111111", ""]
        {
            assert_eq!(name(bad).unwrap_err().code(), Code::UNAUTHENTICATED, "{bad}");
        }
        let twice = [(header::AUTHORIZATION, "Bearer of-the-operator-0"), (header::AUTHORIZATION, "Bearer x")];
        let mut map = HeaderMap::new();
        for (name, value) in twice {
            map.append(name, HeaderValue::from_static(value));
        }
        assert!(gate.admit(&map).is_err());
        assert!(gate.admit(&HeaderMap::new()).is_err());
    }

    #[test]
    fn without_tokens_pages_in_browsers_are_kept_out() {
        let gate = gate("");
        for here in ["127.0.0.1:9090", "[::1]:9090", "localhost", "LOCALHOST:1"] {
            assert_eq!(&*gate.admit(&headers(&[(header::HOST, here)])).unwrap().name, "local", "{here}");
        }
        for page in ["evil.example", "evil.example:9090", "10.0.0.1:9090", "localhost.evil.example"] {
            assert_eq!(gate.admit(&headers(&[(header::HOST, page)])).unwrap_err().code(), Code::FORBIDDEN, "{page}");
        }
        let stranger = [(header::HOST, "127.0.0.1:9090"), (header::ORIGIN, "https://evil.example")];
        assert_eq!(gate.admit(&headers(&stranger)).unwrap_err().code(), Code::FORBIDDEN);
    }
}
