//! One attempt at a provider: how it ended, what it cost, and what may follow from it.

use std::{borrow::Cow, time::Duration};

use serde::Serialize;

use crate::base::money::Money;

/// How an attempt at a provider ended; what may follow depends on it and on the effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptClass {
    /// The provider answered, and it is the answer.
    Fulfilled,
    /// Nothing reached the provider: name resolution, connecting or the TLS handshake failed.
    NotSent,
    /// The provider said that it did nothing: 401, 402, 403, 429, or what its author maps so.
    Rejected,
    /// It may have been done: a time-out or a reset after sending, 5xx.
    Ambiguous,
    /// The provider calls the request wrong: other 4xx. Asking another would not help.
    Invalid,
    /// This provider cannot do what another may.
    Unsupported,
    /// The client went away.
    Cancelled,
}

impl AttemptClass {
    /// All classes, in the order of their declaration.
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

    /// Whether the provider executed the attempt, or may have: one that was cancelled had been sent.
    fn may_have_cost(self) -> bool {
        matches!(self, Self::Fulfilled | Self::Ambiguous | Self::Cancelled)
    }
}

/// One attempt, as it stands in the request's record.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// The provider's name.
    pub provider: &'static str,
    /// The capability's name.
    pub capability: &'static str,
    /// The method's name.
    pub method: &'static str,
    /// How it ended.
    pub class: AttemptClass,
    /// The HTTP status of the provider's answer; none where there was no answer, or it was not HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether the provider has answered, with the first item of a stream at least.
    #[serde(skip)]
    pub answered: bool,
    /// How long it took.
    #[serde(rename = "latency_us", serialize_with = "micros")]
    pub latency: Duration,
    /// What it costs us as far as can be told beforehand; none when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// Why, for the log; empty for what was fulfilled.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reason: Cow<'static, str>,
}

impl Attempt {
    /// Whether the provider executed the attempt, or may have. A stream that failed after its first item was executed.
    pub(crate) fn may_have_cost(&self) -> bool {
        self.answered || self.class.may_have_cost()
    }
}

fn micros<S: serde::Serializer>(latency: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX))
}
