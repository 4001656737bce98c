//! The look-up of a client's API key.

use std::time::{Duration, UNIX_EPOCH};

use futures_util::future::BoxFuture;

use crate::{
    auth::{ApiKey, ApiKeys},
    base::error::{Code, Error},
    store::{ApiKeyRecord, Store, sql::statements::FIND_KEY},
};

/// Reads the key anew for each call, so that a revoked key is refused from the next call on.
impl ApiKeys for Store {
    fn find<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<ApiKey>, Error>> {
        Box::pin(async move {
            let away = |error| {
                Error::new(Code::OVERLOADED, "API keys cannot be checked now; retry later")
                    .with_log_message(error)
            };
            let found: Option<ApiKeyRecord> =
                self.read(&FIND_KEY, &[id]).await.map_err(away)?.pop();
            found.map(ApiKey::try_from).transpose()
        })
    }
}

impl TryFrom<ApiKeyRecord> for ApiKey {
    type Error = Error;

    fn try_from(key: ApiKeyRecord) -> Result<Self, Error> {
        let mut hash = [0; 32];
        hex::decode_to_slice(&key.hash, &mut hash)?;
        Ok(Self {
            account: key.account,
            scopes: key.scopes.into_iter().map(String::into_boxed_str).collect(),
            expires: key
                .expires
                .map(|at| UNIX_EPOCH + Duration::from_micros(at.max(0).unsigned_abs())),
            revoked: key.revoked,
            hash,
        })
    }
}
