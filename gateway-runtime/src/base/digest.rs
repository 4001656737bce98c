//! One digest of several texts (SHA-256): where they name something together, or are compared without being kept.

use std::sync::Arc;

use sha2::{Digest, Sha256};

/// The digest of texts, each with its length, so that no two sequences of texts are the same bytes.
pub(crate) fn digest(texts: impl IntoIterator<Item: AsRef<[u8]>>) -> [u8; 32] {
    let add = |digest: Sha256, text: &[u8]| {
        digest.chain_update((text.len() as u64).to_be_bytes()).chain_update(text)
    };
    texts
        .into_iter()
        .fold(Sha256::new(), |digest, text| add(digest, text.as_ref()))
        .finalize()
        .into()
}

/// The same as a name: 64 hexadecimal digits.
pub(crate) fn digest_hex(texts: impl IntoIterator<Item: AsRef<[u8]>>) -> Arc<str> {
    hex::encode(digest(texts)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_sequences_have_the_same() {
        let all =
            [&["ab", "c"][..], &["a", "bc"], &["abc"], &["abc", ""], &["", "abc"], &[""], &[]];
        for (place, texts) in all.iter().enumerate() {
            assert!(
                all[..place].iter().all(|before| digest(*before) != digest(*texts)),
                "{texts:?}"
            );
        }
        // What stands in databases is found again: `printf '\0\0\0\0\0\0\0\1a' | sha256sum`.
        assert_eq!(
            &*digest_hex(["a"]),
            "3b196fd4907bedf51c3090e9835f2f7cb61e7ee1b2299ea3b8fed9b4183a822a"
        );
    }
}
