//! Header fields that a dispatcher forwards: end-to-end fields are, hop-by-hop fields are not (RFC
//! 9110 §7.6.1, SEMANTICS §10).

use http::{HeaderMap, HeaderName, HeaderValue, header};
use smallvec::SmallVec;

use crate::base::call::Caller;

/// Prefixes reserved for the gateway; fields of clients with them are dropped.
const RESERVED_PREFIXES: [&str; 2] = ["x-wasp-", "x-gateway-"];

/// Hop-by-hop and framing fields (RFC 9110 §7.6.1, §11.7); never forwarded.
const HOP_BY_HOP: [HeaderName; 13] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("http2-settings"),
];

/// The fields with the caller's credentials.
pub(crate) static CREDENTIALS: [HeaderName; 2] =
    [header::AUTHORIZATION, HeaderName::from_static("x-api-key")];

/// Returns whether a field is forwarded; `connection_options` are the names that `Connection`
/// lists.
pub(crate) fn is_end_to_end(name: &HeaderName, connection_options: &[HeaderName]) -> bool {
    !HOP_BY_HOP.contains(name)
        && !connection_options.contains(name)
        && !RESERVED_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix))
}

/// Removes the fields that are not forwarded, and those for which `is_removed` holds.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap, is_removed: impl Fn(&HeaderName) -> bool) {
    let options = headers.get_all(header::CONNECTION).iter().map(HeaderValue::as_bytes);
    let options = connection_options(options);
    let removed: SmallVec<[HeaderName; 8]> = headers
        .keys()
        .filter(|name| !is_end_to_end(name, &options) || is_removed(name))
        .cloned()
        .collect();
    for name in removed {
        headers.remove(name);
    }
}

/// Returns the fields that tell a service behind a route who the authenticated caller is.
pub(crate) fn caller_fields(caller: &Caller) -> impl Iterator<Item = (&'static str, String)> {
    let scopes = Some(caller.scopes()).filter(|scopes| !scopes.is_empty());
    let fields = [
        ("x-gateway-account", caller.account().map(str::to_owned)),
        ("x-gateway-user", caller.user().map(str::to_owned)),
        ("x-gateway-scopes", scopes.map(|scopes| scopes.join(" "))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name, value?)))
}

/// Returns the names that the values of `Connection` list.
pub(crate) fn connection_options<'v>(
    values: impl IntoIterator<Item = &'v [u8]>,
) -> Vec<HeaderName> {
    let names = values.into_iter().flat_map(|value| value.split(|byte| *byte == b','));
    names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect()
}
