//! Holds: money set aside for a call (SEMANTICS §7).
//!
//! A hold names its caller, method, request and, under `once`, the provider about to be asked, so
//! that a call that never ends can be attributed.

use std::{borrow::Cow, sync::Arc};

use crate::{
    base::money::Money,
    store::{CallId, RequestRecord},
};

/// A hold of an account's money for one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The id of the call.
    pub call: CallId,
    /// The account that pays.
    pub account: Arc<str>,
    /// The highest price of the call.
    pub amount: Money,
    /// The time of the hold, in microseconds since 1970.
    pub at: i64,
    /// The time by which the call must have ended, whether or not its gateway still runs; in
    /// microseconds since 1970.
    pub until: i64,
    /// Whether the call, if it never ends, may have had an effect.
    pub may_have_effect: bool,
    /// The attribution of the call, from which its row is written if its gateway dies.
    pub attribution: Arc<Attribution>,
}

/// The attribution of a call: everything its row needs that is known before the call ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attribution {
    /// The request id that the caller sees.
    pub request_id: String,
    /// The user within the account.
    pub user: Option<Arc<str>>,
    /// The origin: `http`, `ws`, `bus` or `webhook`.
    pub origin: Cow<'static, str>,
    /// The name of the service.
    pub service: Cow<'static, str>,
    /// The version of the service.
    pub version: u32,
    /// The name of the method.
    pub method: Cow<'static, str>,
    /// The address of the client.
    pub peer: Option<String>,
    /// The trace id (W3C Trace Context).
    pub trace: Option<String>,
    /// The provider about to be asked, under `once`; of several, the last.
    pub provider: Option<Cow<'static, str>>,
}

/// The outcome of a [`Hold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldOutcome {
    /// The money is held.
    Held,
    /// The available balance is too low.
    Insufficient {
        /// The available balance, in 10⁻⁹ of a unit.
        available: i64,
    },
}

impl Hold {
    /// Returns the row of a call that was interrupted by the end of its gateway. Without a
    /// `charge`, which an operator may decide later, the row has no price.
    pub(super) fn interrupted(&self, charge: Option<Money>) -> RequestRecord {
        let call = &self.attribution;
        RequestRecord {
            call: Arc::clone(&self.call),
            request_id: call.request_id.clone(),
            at: self.at,
            account: Some(Arc::clone(&self.account)),
            user: call.user.clone(),
            origin: call.origin.clone(),
            service: call.service.clone(),
            version: call.version,
            method: call.method.clone(),
            status: 500,
            code: Some(RequestRecord::INTERRUPTED.into()),
            fulfilled: false,
            cache_hit: false,
            replay: false,
            price: charge.map(Money::nanos),
            currency: charge.map(Money::currency),
            cost: None,
            cost_currency: None,
            provider: call.provider.clone(),
            duration: 0,
            peer: call.peer.clone(),
            trace: call.trace.clone(),
            attempts: None,
        }
    }
}
