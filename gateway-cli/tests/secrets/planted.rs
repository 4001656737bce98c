//! The secrets that must not appear in any output.

/// The key that signs tokens.
pub(crate) const INTERNAL_KEY: &str = "planted-internal-key-0123456789abcdef";
/// An API key whose hash is configured.
pub(crate) const API_KEY: &str = "gk_partner_planted-api-key-0123456789";
/// An unknown API key.
pub(crate) const WRONG_API_KEY: &str = "gk_partner_planted-wrong-key-0123456789";
/// The bearer token of operators.
pub(crate) const ADMIN_TOKEN: &str = "planted-admin-token-0123456789";
/// A wrong token of operators.
pub(crate) const WRONG_ADMIN_TOKEN: &str = "planted-wrong-admin-token-0123456789";
/// The key that the provider requires.
pub(crate) const PROVIDER_KEY: &str = "planted-provider-key";
/// The secret that signs webhooks.
pub(crate) const WEBHOOK_SECRET: &str = "planted-webhook-secret";
/// The password of Redis.
pub(crate) const REDIS_PASSWORD: &str = "planted-redis-password";
/// The password of PostgreSQL.
pub(crate) const DATABASE_PASSWORD: &str = "planted-database-password";
/// The passphrase of the credentials.
pub(crate) const PASSPHRASE: &str = "planted age passphrase";

/// Returns the secrets that a text contains, in any encoding.
pub(crate) fn found_in(text: &str) -> Vec<String> {
    let all = [
        INTERNAL_KEY,
        API_KEY,
        WRONG_API_KEY,
        ADMIN_TOKEN,
        WRONG_ADMIN_TOKEN,
        PROVIDER_KEY,
        WEBHOOK_SECRET,
        REDIS_PASSWORD,
        DATABASE_PASSWORD,
        PASSPHRASE,
        // The prefix finds truncated secrets.
        "planted",
    ];
    let forms = |secret: &str| {
        [secret.to_owned(), base64(secret), hex(secret), format!("{:?}", secret.as_bytes())]
    };
    let mut found: Vec<_> =
        all.into_iter().flat_map(forms).filter(|form| text.contains(form.as_str())).collect();
    // The lines show where the leak is.
    found.extend(text.lines().filter(|line| line.contains("planted")).take(5).map(str::to_owned));
    found
}

fn base64(secret: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
    BASE64_STANDARD_NO_PAD.encode(secret)
}

fn hex(secret: &str) -> String {
    secret.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn planted_secrets_are_found_in_every_form() {
    for text in [
        "a planted b",
        &base64(API_KEY),
        &hex(ADMIN_TOKEN),
        &format!("{:?}", WEBHOOK_SECRET.as_bytes()),
    ] {
        assert!(!found_in(text).is_empty(), "{text}");
    }
    assert!(found_in("nothing").is_empty());
}
