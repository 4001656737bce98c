//! Who calls.

use std::sync::Arc;

/// Who is calling; can be asked for as an argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    account: Option<Arc<str>>,
    user: Option<Arc<str>>,
    scopes: Arc<[Box<str>]>,
}

impl Caller {
    /// A caller that was identified, by whatever authenticates.
    #[must_use]
    pub fn new(
        account: impl Into<Arc<str>>,
        user: Option<Arc<str>>,
        scopes: impl Into<Arc<[Box<str>]>>,
    ) -> Self {
        Self { account: Some(account.into()), user, scopes: scopes.into() }
    }

    /// The account that pays; none for a stranger.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The account, for whoever keeps it.
    pub(crate) fn account_arc(&self) -> Option<Arc<str>> {
        self.account.clone()
    }

    /// The user within the account.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// What the caller may do.
    #[must_use]
    pub fn scopes(&self) -> &[Box<str>] {
        &self.scopes
    }
}
