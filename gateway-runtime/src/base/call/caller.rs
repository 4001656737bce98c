//! The caller of a call: account, user and scopes (SEMANTICS §4).

use std::sync::Arc;

/// The caller of a call; a method may take it as an argument. By default it is anonymous.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    account: Option<Arc<str>>,
    user: Option<Arc<str>>,
    scopes: Arc<[Box<str>]>,
}

impl Caller {
    /// Creates a caller that has been authenticated.
    #[must_use]
    pub fn new(
        account: impl Into<Arc<str>>,
        user: Option<Arc<str>>,
        scopes: impl Into<Arc<[Box<str>]>>,
    ) -> Self {
        Self { account: Some(account.into()), user, scopes: scopes.into() }
    }

    /// Returns the account that pays; `None` for an anonymous caller.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Returns the account, shared.
    pub(crate) fn account_arc(&self) -> Option<Arc<str>> {
        self.account.clone()
    }

    /// Returns the user within the account.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns the scopes: what the caller is allowed to do.
    #[must_use]
    pub fn scopes(&self) -> &[Box<str>] {
        &self.scopes
    }
}
