//! A substitute for the HTTP client in a program that was built without it: a type without values.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;

use crate::{
    base::start_error::StartError,
    provider::{ProviderError, http_client::HttpClientSettings},
};

/// A client that never exists, since the feature `http-client` is off.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient(Infallible);

impl HttpClient {
    /// Fails always.
    pub(crate) fn new(_: &HttpClientSettings) -> Result<Self, StartError> {
        Err(StartError::new(
            "`auth.jwt.jwks_url`: this program was built without an HTTP client\n\
             help: add the feature `http-client` to gateway-runtime in Cargo.toml, or set the keys \
             in `auth.jwt.keys`",
        ))
    }

    #[expect(clippy::unused_async, reason = "as with the feature `http-client`")]
    pub(crate) async fn fetch(&self, _: &str, _: Duration) -> Result<Bytes, ProviderError> {
        match self.0 {}
    }
}
