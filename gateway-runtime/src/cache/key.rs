//! The cache key of a reply (SEMANTICS §9): service, version, method, schema hash, canonical
//! arguments, and the account. Everything that the reply may depend on is written out in it, so
//! that no two calls share a key by chance or by design.

use std::sync::Arc;

use crate::base::{
    call::Input,
    digest::{Sha256, digest},
};
use bytes::Bytes;

/// The key of one reply; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey(Bytes);

impl CacheKey {
    /// Creates the key of these bytes, for tests of cache stores.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// Returns the length of the key, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// Returns the SHA-256 of the key, for stores whose keys must be short and are not compared.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::of(&self.0)
    }
}

/// The keys of one method. Each contains the service, version, name and schemas, so that a program
/// with another schema that shares the store has keys of its own.
#[derive(Clone, Debug)]
pub struct KeySpace(Arc<[u8; 32]>);

/// The scope of a reply, as a tag before the account's name, if there is one. The tag distinguishes
/// what follows.
const SCOPE_GLOBAL: u8 = 0;
const SCOPE_ANONYMOUS: u8 = 1;
const SCOPE_ACCOUNT: u8 = 2;

/// The capacity for the key of a small call without a second allocation, in bytes.
const TYPICAL_KEY_BYTES: usize = 512;

impl KeySpace {
    /// Creates the key space of the method that these texts describe.
    #[must_use]
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self(Arc::new(digest(texts)))
    }

    #[cfg(test)]
    pub(super) fn for_tests() -> Self {
        Self(Arc::default())
    }

    /// Returns the key of a call's reply: one for all callers, or one for the account. Anonymous
    /// callers are one account without a name.
    #[must_use]
    pub fn key(&self, is_global: bool, account: Option<&str>, input: &Input) -> CacheKey {
        let mut text = Vec::with_capacity(TYPICAL_KEY_BYTES);
        text.extend_from_slice(&*self.0);
        match account {
            _ if is_global => text.push(SCOPE_GLOBAL),
            None => text.push(SCOPE_ANONYMOUS),
            Some(account) => {
                text.push(SCOPE_ACCOUNT);
                text.extend_from_slice(&(account.len() as u64).to_be_bytes());
                text.extend_from_slice(account.as_bytes());
            }
        }
        if let Input::Valid(document) = input {
            document.write_canonical(&mut text);
        }
        CacheKey(text.into())
    }
}
