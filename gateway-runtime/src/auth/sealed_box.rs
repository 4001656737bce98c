//! Encrypted texts (ChaCha20-Poly1305), stored where others may read them; only the same proofs
//! open them.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};

use crate::base::{digest::digest, error::Error};

/// Encrypts `text` with a key derived from `proofs`.
///
/// # Errors
///
/// Fails if the system has no random numbers.
pub(crate) fn seal(proofs: &[&[u8]], text: &[u8]) -> Result<String, Error> {
    let unable = |_| Error::internal("the system has no random numbers");
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(unable)?;
    let mut sealed = text.to_vec();
    let nonce_used = Nonce::assume_unique_for_key(nonce);
    key(proofs)
        .and_then(|key| key.seal_in_place_append_tag(nonce_used, Aad::empty(), &mut sealed))
        .map_err(unable)?;
    Ok(BASE64_STANDARD.encode([&nonce[..], &sealed].concat()))
}

/// Decrypts a sealed text; `None` if the proofs differ or the text is damaged.
pub(crate) fn open(proofs: &[&[u8]], sealed: &str) -> Option<Vec<u8>> {
    let mut sealed = BASE64_STANDARD.decode(sealed).ok()?;
    let nonce = Nonce::try_assume_unique_for_key(sealed.get(..NONCE_LEN)?).ok()?;
    let text =
        key(proofs).ok()?.open_in_place(nonce, Aad::empty(), &mut sealed[NONCE_LEN..]).ok()?;
    Some(text.to_vec())
}

fn key(proofs: &[&[u8]]) -> Result<LessSafeKey, ring::error::Unspecified> {
    UnboundKey::new(&CHACHA20_POLY1305, &digest(proofs)).map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_text_opens_with_the_same_proofs_only() {
        let sealed = seal(&[b"ab", b"c"], b"gk_secret").unwrap();
        assert!(!sealed.contains("gk_") && sealed != seal(&[b"ab", b"c"], b"gk_secret").unwrap());
        assert_eq!(open(&[b"ab", b"c"], &sealed).unwrap(), b"gk_secret");
        assert!(open(&[b"a", b"bc"], &sealed).is_none());
        let mut broken = sealed.into_bytes();
        broken[20] ^= 1;
        assert!(open(&[b"ab", b"c"], std::str::from_utf8(&broken).unwrap()).is_none());
        assert!(open(&[b"ab", b"c"], "").is_none());
    }
}
