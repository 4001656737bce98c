//! Holds: money set aside for a call, with what tells the call if it never ends.

use std::{borrow::Cow, sync::Arc};

use crate::{
    base::money::Money,
    store::{CallId, RequestRecord},
};

/// A call sets money aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Which.
    pub call: CallId,
    /// Who pays.
    pub account: Arc<str>,
    /// The most that it can cost.
    pub amount: Money,
    /// Microseconds since 1970.
    pub at: i64,
    /// When the call must have ended, whatever became of its gateway; microseconds since 1970.
    pub until: i64,
    /// Whether a call that never ended may have done something that lasts.
    pub may_have_effect: bool,
    /// What the call is, for a row of its own if its gateway dies.
    pub attribution: Arc<Attribution>,
}

/// What a call is, as far as that is known before it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attribution {
    /// Its name for the caller.
    pub request_id: String,
    /// Who called.
    pub user: Option<Arc<str>>,
    /// By what road: `http`, `ws`, `bus`, `webhook`.
    pub origin: Cow<'static, str>,
    /// The service.
    pub service: Cow<'static, str>,
    /// The version of the service.
    pub version: u32,
    /// The method.
    pub method: Cow<'static, str>,
    /// The client's address.
    pub peer: Option<String>,
    /// The trace's id (W3C Trace Context).
    pub trace: Option<String>,
    /// Under `once`: the provider that was about to be asked, last of all.
    pub provider: Option<Cow<'static, str>>,
}

/// What came of a [`Hold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldOutcome {
    /// The money is set aside.
    HoldOutcome,
    /// There is not so much.
    Insufficient {
        /// What there is, in 10⁻⁹ of a unit.
        available: i64,
    },
}

impl Hold {
    /// The row of a call that was cut off by the end of its gateway; no price as long as that is not decided.
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
