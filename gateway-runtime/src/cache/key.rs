//! Under which key an answer is kept: all that it may depend on, written out, so that no two calls can share one by chance
//! or by design.

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::base::{call::Input, digest::digest};

/// What names one answer; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey(Bytes);

impl CacheKey {
    /// The key of these bytes, for tests of backends.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// SHA-256 of it, where names are to be short and nothing can be compared.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

/// The keys of one method: its service, version, name and schemas are in each. So a program with another schema, which
/// shares the backend with this one, has keys of its own.
#[derive(Clone, Debug)]
pub struct KeySpace(Arc<[u8; 32]>);

/// For whom an answer is kept, before the account's name if there is one. What follows is told from it by its tag.
const SCOPE_GLOBAL: u8 = 0;
const SCOPE_ANONYMOUS: u8 = 1;
const SCOPE_ACCOUNT: u8 = 2;

/// Room for the key of a small call without a second allocation.
const TYPICAL_KEY_BYTES: usize = 512;

impl KeySpace {
    /// Returns the keys of the method that these texts describe.
    #[must_use]
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self(Arc::new(digest(texts)))
    }

    #[cfg(test)]
    pub(super) fn for_tests() -> Self {
        Self(Arc::default())
    }

    /// The key of one call's answer: that of everybody, or of the account. Strangers are one account, which has no name.
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
