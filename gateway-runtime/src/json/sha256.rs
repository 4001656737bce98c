//! SHA-256 (FIPS 180-4).

use ring::digest::{Context, SHA256};

/// A SHA-256 digest of parts that arrive one by one.
#[derive(Clone)]
pub(crate) struct Sha256(Context);

impl Sha256 {
    /// Starts the digest of no bytes.
    pub(crate) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Returns the digest of `bytes`.
    pub(crate) fn of(bytes: impl AsRef<[u8]>) -> [u8; 32] {
        let mut digest = Self::new();
        digest.update(bytes);
        digest.finish()
    }

    /// Adds bytes.
    pub(crate) fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update(bytes.as_ref());
    }

    /// Returns the digest of all bytes.
    pub(crate) fn finish(self) -> [u8; 32] {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.0.finish().as_ref());
        digest
    }
}
