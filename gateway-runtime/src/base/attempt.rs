//! An attempt at a provider: its class, its cost, and the rules that follow from both (SEMANTICS
//! §3).

use std::{borrow::Cow, time::Duration};

use serde::Serialize;

use crate::base::{money::Money, spec::Effect};

/// The class of an attempt: how it ended. The class and the effect decide what may follow
/// (SEMANTICS §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptClass {
    /// The provider replied, and the reply is the result.
    Fulfilled,
    /// Nothing was executed: name resolution, connecting or the TLS handshake failed, or the
    /// provider did not process the request (421, 425).
    NotSent,
    /// Nothing was executed, as the provider replied: 401, 402, 403, 429, or what the provider's
    /// author maps so.
    Rejected,
    /// The attempt is ambiguous: sent, and no usable reply. A timeout or a reset after sending,
    /// 408, other 5xx.
    Ambiguous,
    /// The provider rejected the request as wrong: other 4xx. Another provider would not help.
    Invalid,
    /// The provider does not support the request; another one may.
    Unsupported,
    /// The client disconnected.
    Cancelled,
}

impl AttemptClass {
    /// Every class, in the order of declaration.
    pub(crate) const ALL: [Self; 7] = [
        Self::Fulfilled,
        Self::NotSent,
        Self::Rejected,
        Self::Ambiguous,
        Self::Invalid,
        Self::Unsupported,
        Self::Cancelled,
    ];

    /// Returns the name of the class, such as `not-sent`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fulfilled => "fulfilled",
            Self::NotSent => "not-sent",
            Self::Rejected => "rejected",
            Self::Ambiguous => "ambiguous",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns whether the provider executed the attempt, or may have. A cancelled attempt had been
    /// sent.
    fn may_have_cost(self) -> bool {
        matches!(self, Self::Fulfilled | Self::Ambiguous | Self::Cancelled)
    }
}

/// An attempt, as it is recorded in the request log.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// The provider's name.
    pub provider: &'static str,
    /// The capability's name.
    pub capability: &'static str,
    /// The method's name.
    pub method: &'static str,
    /// The method's effect.
    #[serde(skip)]
    pub effect: Effect,
    /// The class: how the attempt ended.
    pub class: AttemptClass,
    /// The HTTP status of the provider's reply; `None` without a reply, or if the reply is not
    /// HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether the provider replied; of a stream, at least the first item.
    #[serde(skip)]
    pub answered: bool,
    /// The duration of the attempt.
    #[serde(rename = "latency_us", serialize_with = "micros")]
    pub latency: Duration,
    /// The cost to us, as estimated before the attempt; `None` when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// The reason of a failure, for the log; empty for a fulfilled attempt.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reason: Cow<'static, str>,
}

impl Attempt {
    /// Returns whether the provider executed the attempt, or may have. A stream that failed after
    /// its first item was executed.
    pub(crate) fn may_have_cost(&self) -> bool {
        self.answered || self.class.may_have_cost()
    }
}

fn micros<S: serde::Serializer>(latency: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX))
}
