//! The key of credentials.

use crate::base::secret::Secret;

/// The key that opens credentials.
#[cfg_attr(
    not(feature = "credentials"),
    expect(dead_code, reason = "there is nothing to open them with")
)]
pub(super) enum CredentialsKey {
    File(Secret),
    Passphrase(Secret),
}
