//! The SHA-256 digest of several texts, for texts that name something together, or that are
//! compared without being stored.

use std::sync::Arc;

pub(crate) use crate::json::sha256::Sha256;

/// Returns the digest of texts. Each is hashed with its length, so that no two sequences of texts
/// are the same bytes.
pub(crate) fn digest(texts: impl IntoIterator<Item: AsRef<[u8]>>) -> [u8; 32] {
    let mut digest = Sha256::new();
    for text in texts {
        let text = text.as_ref();
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    digest.finish()
}

/// Returns the digest of texts as 64 hexadecimal digits.
pub(crate) fn digest_hex(texts: impl IntoIterator<Item: AsRef<[u8]>>) -> Arc<str> {
    hex::encode(digest(texts)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_sequences_have_different_digests() {
        let all =
            [&["ab", "c"][..], &["a", "bc"], &["abc"], &["abc", ""], &["", "abc"], &[""], &[]];
        for (index, texts) in all.iter().enumerate() {
            assert!(
                all[..index].iter().all(|before| digest(*before) != digest(*texts)),
                "{texts:?}"
            );
        }
        // Databases hold these digests, so they never change: `printf '\0\0\0\0\0\0\0\1a' |
        // sha256sum`.
        assert_eq!(
            &*digest_hex(["a"]),
            "3b196fd4907bedf51c3090e9835f2f7cb61e7ee1b2299ea3b8fed9b4183a822a"
        );
    }
}
