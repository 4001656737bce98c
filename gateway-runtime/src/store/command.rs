//! Store commands and their outcomes.
//!
//! A caller sends a [`Command`] to the store writer, which commits many of them in one transaction
//! and returns a [`CommandOutcome`] for each.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    base::money::{Currency, Money},
    store::{ApiKeyRecord, Hold, hold::HoldOutcome},
};

/// The id of a call in the store: 32 hexadecimal digits, the first twelve the time in milliseconds.
/// It is unique, unlike the request id, which its caller may choose.
pub type CallId = Arc<str>;

/// One command. The commands of a batch take effect as if one after another, and all or none of
/// them.
#[derive(Clone, Debug)]
pub enum Command {
    /// Claims an idempotency key for a call.
    Claim(Claim),
    /// Extends the lease of a claim.
    Renew {
        /// The claimed key.
        key: ClaimKey,
        /// The fence of the claim's holder.
        fence: Arc<str>,
        /// The new end of the lease, in microseconds since 1970.
        until: i64,
    },
    /// Deletes claims that ended long ago, a few at a time.
    ExpireClaims {
        /// The time before which claims with a stored answer must have ended, in microseconds since
        /// 1970.
        answered: i64,
        /// The time before which claims without an answer must have ended, in microseconds since
        /// 1970.
        open: i64,
    },
    /// Places a hold for a call.
    Hold(Hold),
    /// Settles a call that has ended.
    Settle(Box<Settlement>),
    /// Names the provider to which a call under `once` is about to be sent.
    Ask {
        /// The id of the call.
        call: CallId,
        /// The name of the provider.
        provider: Cow<'static, str>,
    },
    /// Resolves the hold of an abandoned call: charges the given amount, or keeps the hold because
    /// the outcome is unknown. The call gets a row of its own, with the code
    /// [`INTERRUPTED`](RequestRecord::INTERRUPTED).
    ResolveAbandonedHold(Hold, Option<Money>),
    /// Settles a hold of unknown outcome by an operator's decision.
    ResolveUnknownHold {
        /// The hold.
        hold: Hold,
        /// The amount to charge; the difference is released.
        charge: Money,
        /// The row of the call with the operator's decision, if the call has a row.
        request: Option<Box<RequestRecord>>,
        /// The time, in microseconds since 1970.
        at: i64,
        /// The name of the operator.
        who: Arc<str>,
    },
    /// Opens an account; opening it again changes nothing.
    OpenAccount {
        /// The id of the account.
        account: Arc<str>,
        /// The plan of the account.
        plan: Arc<str>,
        /// The time, in microseconds since 1970.
        at: i64,
        /// The name of the operator.
        who: Arc<str>,
    },
    /// Credits an account.
    Credit(Credit),
    /// Records a change by an operator to prices, limits or providers.
    OperatorChange(OperatorChange),
    /// Adds an API key; the second value is the name of the operator.
    AddKey(ApiKeyRecord, Arc<str>),
    /// Revokes an API key.
    RevokeKey {
        /// The id of the account.
        account: Arc<str>,
        /// The id of the key.
        id: Arc<str>,
        /// The time, in microseconds since 1970.
        at: i64,
        /// The name of the operator.
        who: Arc<str>,
    },
    /// Ends the claim of an operator's request.
    Close {
        /// The claimed key.
        key: ClaimKey,
        /// The fence of the claim's holder.
        fence: Arc<str>,
        /// The end of the claim.
        closing: ClaimEnd,
    },
}

/// The outcome of a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// The outcome of [`Command::Claim`].
    Claim(ClaimOutcome),
    /// The outcome of [`Command::Renew`]; false if another holder has the claim by now.
    Renewed(bool),
    /// The outcome of [`Command::ExpireClaims`]: the number of deleted claims.
    Forgotten(usize),
    /// The outcome of [`Command::Hold`].
    Hold(HoldOutcome),
    /// The outcome of [`Command::Settle`], [`Command::Ask`] and [`Command::Close`].
    Settled,
    /// The outcome of [`Command::AddKey`], false if the account does not exist; and of
    /// [`Command::RevokeKey`], false if the account has no such key in force.
    Key(bool),
    /// The outcome of [`Command::ResolveAbandonedHold`] and [`Command::ResolveUnknownHold`]; false
    /// if the hold was resolved before.
    Decided(bool),
    /// The outcome of [`Command::OpenAccount`]; false if the account existed.
    Opened(bool),
    /// The outcome of [`Command::Credit`].
    Credit(CreditOutcome),
    /// The outcome of [`Command::OperatorChange`]: the value of the subject after the change, as
    /// JSON.
    Changed(String),
}

/// The digest of account, service, version, method and idempotency key, in hexadecimal digits.
pub type ClaimKey = Arc<str>;

/// A claim of an idempotency key: a lease with a fence (SEMANTICS §5).
#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    /// The key that is claimed.
    pub key: ClaimKey,
    /// The fingerprint of the request, in hexadecimal digits.
    pub fingerprint: Arc<str>,
    /// The fence: a value that differs between this holder and those before and after it.
    pub fence: Arc<str>,
    /// The current time, in microseconds since 1970.
    pub at: i64,
    /// The end of the lease, in microseconds since 1970; no other call can take the key before.
    pub until: i64,
    /// Whether the call must not be executed a second time, whatever the outcome of the first.
    pub once: bool,
    /// The bytes that the key takes in the database before its answer is stored. Present for
    /// anonymous callers only, whose bytes are counted.
    pub bytes: Option<i64>,
    /// Whether a new key may be claimed. A key that exists is answered in any case.
    #[serde(skip)]
    pub has_room: bool,
}

/// The outcome of a [`Claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The call holds the claim and may be executed.
    Granted,
    /// Another call holds the claim, at most until this time in microseconds since 1970.
    InProgress(i64),
    /// The key belongs to a request with another fingerprint.
    Mismatch,
    /// The call was executed; this is the stored answer.
    Done(String),
    /// The outcome is unknown: an earlier call under `once` began and did not end.
    Unknown,
    /// The key is new, and there is no room for it.
    NoRoom,
}

/// A credit to an account.
#[derive(Clone, Debug)]
pub struct Credit {
    /// The id of the account.
    pub account: Arc<str>,
    /// The amount, above zero.
    pub amount: Money,
    /// The reference of the payment; each reference is credited once.
    pub reference: Arc<str>,
    /// The time, in microseconds since 1970.
    pub at: i64,
    /// The name of the operator.
    pub who: Arc<str>,
}

/// A change by an operator, before it has a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperatorChange {
    /// The time, in microseconds since 1970.
    pub at: i64,
    /// The name of the operator.
    pub who: Arc<str>,
    /// The kind of the subject.
    pub kind: ChangeKind,
    /// The name of the subject; empty for a kind with one subject only.
    pub subject: Arc<str>,
    /// The value after the change, as JSON; of a provider, the changed members only.
    pub document: String,
}

/// The kind of a change by an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// A new price list.
    Prices,
    /// New limits.
    Limits,
    /// New overrides of a provider.
    Provider,
    /// A new account.
    Account,
    /// A credit to an account.
    Credit,
    /// A new or revoked API key.
    Key,
    /// The settlement of a hold of unknown outcome.
    Hold,
}

/// A change by an operator, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeRecord {
    /// The number of the change, which is the version of all settings after it.
    pub id: i64,
    /// The time, in microseconds since 1970.
    pub at: i64,
    /// The name of the operator.
    pub who: String,
    /// The kind of the subject.
    pub kind: ChangeKind,
    /// The name of the subject.
    pub subject: String,
    /// The value after the change, as JSON.
    pub document: String,
}

/// The outcome of a [`Credit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditOutcome {
    /// The amount was credited.
    Credited,
    /// The same amount was credited before for this reference.
    Duplicate,
    /// Another amount or currency was credited before for this reference.
    Mismatch,
    /// The account does not exist.
    NoAccount,
    /// The balance would exceed the largest value that can be stored.
    Overflow,
}

/// The settlement of a call that has ended: its row, money and idempotency key, in one transaction
/// (SEMANTICS §8).
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The row of the request log.
    pub request: RequestRecord,
    /// The hold and the amount to capture; `None` as the amount keeps the hold, because the outcome
    /// is unknown.
    pub hold: Option<(Hold, Option<Money>)>,
    /// The claimed key, the fence of its holder and the end of the claim.
    pub claim: Option<(ClaimKey, Arc<str>, ClaimEnd)>,
}

impl Settlement {
    /// Returns whether the call is charged more than zero.
    pub(crate) fn charges(&self) -> bool {
        self.hold
            .as_ref()
            .is_some_and(|(_, charge)| charge.is_some_and(|charge| charge.nanos() > 0))
    }
}

/// The end of a claim.
#[derive(Clone, Debug)]
pub enum ClaimEnd {
    /// Frees the key: the call was not executed.
    Release,
    /// Frees a key of which it is not known whether it was claimed, because the wait for the claim
    /// was cut off. Undoes a claim that was committed, or will be by a commit that is still under
    /// way.
    Undo,
    /// Stores the answer for replays, until this time in microseconds since 1970.
    Answer(String, i64),
}

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

/// The balance of an account in one currency beside the sums of its ledger and holds, in 10⁻⁹ of a
/// unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Audit {
    /// The id of the account.
    pub account: String,
    /// The currency.
    pub currency: String,
    /// The available amount.
    pub available: i64,
    /// The held amount.
    pub held: i64,
    /// The sum of the ledger's entries.
    pub entries: i64,
    /// The sum of the open holds.
    pub holds: i64,
}

impl Audit {
    /// Returns whether the balance equals the sums of the ledger and of the holds.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.available + self.held == self.entries && self.held == self.holds
    }
}
