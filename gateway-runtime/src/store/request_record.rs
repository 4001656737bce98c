//! Request records: the rows of the request log (SEMANTICS §8).

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::base::money::Currency;

/// The id of a call in the store: 32 hexadecimal digits, the first twelve the time in milliseconds.
/// It is unique, unlike the request id, which its caller may choose.
pub type CallId = Arc<str>;

/// A request record: one row of the request log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The id of the call.
    pub call: CallId,
    /// The request id that the caller sees.
    pub request_id: String,
    /// The time of arrival, in microseconds since 1970.
    pub at: i64,
    /// The account that pays.
    pub account: Option<Arc<str>>,
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
    /// The HTTP status of the reply.
    pub status: u16,
    /// The code of the error.
    pub code: Option<Cow<'static, str>>,
    /// Whether the request was fulfilled.
    pub fulfilled: bool,
    /// Whether the reply came from the cache.
    pub cache_hit: bool,
    /// Whether the reply is a replay under the same idempotency key.
    pub replay: bool,
    /// The price that the account pays, in 10⁻⁹ of `currency`.
    pub price: Option<i64>,
    /// The currency of `price`.
    pub currency: Option<Currency>,
    /// The cost of the attempts to the operator, in 10⁻⁹ of `cost_currency`.
    pub cost: Option<i64>,
    /// The currency of `cost`.
    pub cost_currency: Option<Currency>,
    /// The provider that answered.
    pub provider: Option<Cow<'static, str>>,
    /// The duration, in microseconds.
    pub duration: i64,
    /// The address of the client.
    pub peer: Option<String>,
    /// The trace id (W3C Trace Context).
    pub trace: Option<String>,
    /// The attempts at providers, as JSON.
    pub attempts: Option<String>,
}

impl RequestRecord {
    /// The code of a call whose stream has begun and has not ended. The row is completed at the end
    /// of the stream; the code stays if the gateway of the call ended before.
    pub const STREAMING: &'static str = "streaming";
    /// The code of a call that was interrupted by the end of its gateway.
    pub const INTERRUPTED: &'static str = "interrupted";

    /// Returns whether a later row may replace this one.
    pub(super) fn is_provisional(&self) -> bool {
        matches!(self.code.as_deref(), Some(Self::STREAMING | Self::INTERRUPTED))
    }
}
