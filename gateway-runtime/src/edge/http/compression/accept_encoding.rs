//! `Accept-Encoding` (RFC 9110 §12.5.3): the content codings that a client accepts, and their
//! weights.

use http::{HeaderMap, header};

use crate::edge::http::negotiate::thousandths;

/// A content coding that the gateway can apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::edge::http) enum Coding {
    Gzip,
    Brotli,
}

/// A client's weights of the codings, in thousandths; 0 means not acceptable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::edge::http) struct AcceptEncoding {
    gzip: u16,
    brotli: u16,
    /// Weight of no coding. `None` if the client does not name it: it is then acceptable, but any
    /// acceptable coding is preferred.
    identity: Option<u16>,
}

impl AcceptEncoding {
    /// Parses the field; `None` if it is absent, which permits every coding and requests none.
    pub(in crate::edge::http) fn of(request: &HeaderMap) -> Option<Self> {
        let lines = || request.get_all(header::ACCEPT_ENCODING).iter();
        lines().next()?;
        let (mut gzip, mut brotli, mut identity, mut any) = (None, None, None, None);
        let items = lines().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
        for item in items {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            let name = name.trim();
            let weight = match name {
                _ if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
                    &mut gzip
                }
                _ if name.eq_ignore_ascii_case("br") => &mut brotli,
                _ if name.eq_ignore_ascii_case("identity") => &mut identity,
                "*" => &mut any,
                _ => continue,
            };
            // A coding that is named twice has its first weight.
            weight.get_or_insert_with(|| weight_of(parameters));
        }
        let unnamed = any.unwrap_or(0);
        Some(Self {
            gzip: gzip.unwrap_or(unnamed),
            brotli: brotli.unwrap_or(unnamed),
            identity: identity.or(any.filter(|weight| *weight == 0)),
        })
    }

    /// Returns the coding with the highest weight, the first of `offers` if both are equal; `None`
    /// if the client accepts neither or prefers no coding.
    pub(in crate::edge::http) fn choose(self, offers: [Coding; 2]) -> Option<Coding> {
        let [first, second] = offers;
        let best = if self.weight(second) > self.weight(first) { second } else { first };
        let weight = self.weight(best);
        (weight > 0 && weight >= self.identity.unwrap_or(0)).then_some(best)
    }

    /// Returns whether the client refuses responses without a coding.
    pub(in crate::edge::http) fn refuses_identity(self) -> bool {
        self.identity == Some(0)
    }

    /// Returns the weight of a coding.
    pub(in crate::edge::http) fn weight(self, coding: Coding) -> u16 {
        match coding {
            Coding::Gzip => self.gzip,
            Coding::Brotli => self.brotli,
        }
    }
}

/// Returns the weight among the parameters of an item; 1000 without one, 0 for an invalid one.
fn weight_of(parameters: &str) -> u16 {
    let quality = parameters.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value)
    });
    quality.map_or(1000, |value| thousandths(value.trim()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const OFFERS: [Coding; 2] = [Coding::Gzip, Coding::Brotli];

    fn read(lines: &[&str]) -> Option<AcceptEncoding> {
        let headers = lines.iter().map(|line| {
            (header::ACCEPT_ENCODING, HeaderValue::from_bytes(line.as_bytes()).unwrap())
        });
        AcceptEncoding::of(&headers.collect())
    }

    #[test]
    fn choose_prefers_the_weight_and_then_the_first_offer() {
        for (lines, expected) in [
            (&["gzip, deflate, br, zstd"][..], Some(Coding::Gzip)),
            (&["br"], Some(Coding::Brotli)),
            (&["BR;q=1.0, GZIP;q=0.5"], Some(Coding::Brotli)),
            (&["gzip;q=0.2", "br; q=0.3"], Some(Coding::Brotli)),
            (&["x-gzip"], Some(Coding::Gzip)),
            (&["*"], Some(Coding::Gzip)),
            (&["gzip;q=0, *;q=0.1"], Some(Coding::Brotli)),
            (&["identity;q=0, br;q=0.001"], Some(Coding::Brotli)),
            (&["identity, gzip"], Some(Coding::Gzip)),
            (&["identity, gzip;q=0.9"], None),
            (&["gzip;q=0, br;q=0.000"], None),
            (&["gzip;q=x"], None),
            (&["deflate, zstd"], None),
            (&["identity"], None),
            (&[""], None),
            (&["*;q=0"], None),
        ] {
            assert_eq!(read(lines).unwrap().choose(OFFERS), expected, "{lines:?}");
        }
        assert_eq!(read(&[]), None);
        let browser = read(&["gzip, deflate, br"]).unwrap();
        assert_eq!(browser.choose([Coding::Brotli, Coding::Gzip]), Some(Coding::Brotli));
    }

    #[test]
    fn identity_is_refused_by_name_or_by_wildcard() {
        for refused in ["identity;q=0", "gzip, identity; q=0.0", "*;q=0", "br, *;q=0"] {
            assert!(read(&[refused]).unwrap().refuses_identity(), "{refused}");
        }
        for accepted in ["gzip", "", "*", "*;q=0, identity", "identity;q=0.001", "gzip;q=0"] {
            assert!(!read(&[accepted]).unwrap().refuses_identity(), "{accepted}");
        }
    }

    proptest! {
        #[test]
        fn any_field_value_is_parsed(lines in prop::collection::vec("[ -~]{0,40}", 1..4)) {
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            let accepted = read(&lines).unwrap();
            if let Some(coding) = accepted.choose(OFFERS) {
                prop_assert!(accepted.weight(coding) > 0);
            }
        }
    }
}
