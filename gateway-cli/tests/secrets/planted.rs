//! What must not be seen anywhere.

/// What tokens are signed with.
pub(crate) const INTERNAL_KEY: &str = "planted-internal-key-0123456789abcdef";
/// An API key whose hash is configured.
pub(crate) const API_KEY: &str = "gk_partner_planted-api-key-0123456789";
/// One that is no good.
pub(crate) const WRONG_API_KEY: &str = "gk_partner_planted-wrong-key-0123456789";
/// What operators prove themselves with.
pub(crate) const ADMIN_TOKEN: &str = "planted-admin-token-0123456789";
/// One that is no good.
pub(crate) const WRONG_ADMIN_TOKEN: &str = "planted-wrong-admin-token-0123456789";
/// What the provider wants to see.
pub(crate) const PROVIDER_KEY: &str = "planted-provider-key";
/// What webhooks are signed with.
pub(crate) const WEBHOOK_SECRET: &str = "planted-webhook-secret";
/// Of Redis.
pub(crate) const REDIS_PASSWORD: &str = "planted-redis-password";
/// Of PostgreSQL.
pub(crate) const DATABASE_PASSWORD: &str = "planted-database-password";
/// Of the credentials.
pub(crate) const PASSPHRASE: &str = "planted age passphrase";

/// The secrets that a text tells, in whatever form.
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
        // Beginnings and endings are secrets too.
        "planted",
    ];
    let forms = |secret: &str| {
        [secret.to_owned(), base64(secret), hex(secret), format!("{:?}", secret.as_bytes())]
    };
    let mut found: Vec<_> =
        all.into_iter().flat_map(forms).filter(|form| text.contains(form.as_str())).collect();
    // Where, for whoever has to mend it.
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
fn they_would_be_found() {
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
