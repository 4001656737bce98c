//! What calls have written into the books, and what comes of it.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    base::money::{Currency, Money},
    store::{ApiKeyRecord, Hold, hold::HoldOutcome},
};

/// The name of a call in the books: 32 hexadecimal digits, the first twelve the time in milliseconds. Unlike the request
/// id, which its caller may choose, no two calls share one.
pub type CallId = Arc<str>;

/// One change; the changes of a batch happen in their order, and all or none.
#[derive(Clone, Debug)]
pub enum Command {
    /// A call claims an idempotency key.
    Claim(Claim),
    /// A claim is kept open for longer.
    Renew {
        /// Which.
        key: ClaimKey,
        /// The holder's.
        fence: Arc<str>,
        /// Microseconds since 1970.
        until: i64,
    },
    /// Claims that ended long ago are forgotten, a few at a time.
    ExpireClaims {
        /// Those that have their answer, ended before this; microseconds since 1970 …
        answered: i64,
        /// … and the others before this.
        open: i64,
    },
    /// A call sets money aside.
    Hold(Hold),
    /// A call has ended.
    Settle(Box<Settlement>),
    /// A call under `once` is about to be sent to a provider.
    Ask {
        /// The call.
        call: CallId,
        /// The provider.
        provider: Cow<'static, str>,
    },
    /// The money set aside for a call that nobody will settle: so much of it is charged, or it stays aside because nobody
    /// knows. The call gets a row of its own, marked [`INTERRUPTED`](Request::INTERRUPTED).
    ResolveAbandonedHold(Hold, Option<Money>),
    /// An operator says what becomes of money that stays aside, since nobody knew.
    ResolveUnknownHold {
        /// The money.
        hold: Hold,
        /// So much of it is charged.
        charge: Money,
        /// The row of the call, which says so from then on.
        request: Option<Box<RequestRecord>>,
        /// Microseconds since 1970.
        at: i64,
        /// The operator.
        who: Arc<str>,
    },
    /// An account is made; the same again changes nothing.
    OpenAccount {
        /// Its name.
        account: Arc<str>,
        /// Its plan.
        plan: Arc<str>,
        /// Microseconds since 1970.
        at: i64,
        /// The operator.
        who: Arc<str>,
    },
    /// Money comes in.
    Credit(Credit),
    /// An operator changes what holds from now on.
    OperatorChange(OperatorChange),
    /// A client gets a key; who gave it.
    AddKey(ApiKeyRecord, Arc<str>),
    /// A client's key is good no longer.
    RevokeKey {
        /// Whose.
        account: Arc<str>,
        /// Which.
        id: Arc<str>,
        /// Microseconds since 1970.
        at: i64,
        /// The operator.
        who: Arc<str>,
    },
    /// An operator's request with an idempotency key has ended.
    Close {
        /// The key that was claimed.
        key: ClaimKey,
        /// The holder's.
        fence: Arc<str>,
        /// What becomes of it.
        closing: ClaimEnd,
    },
}

/// What came of a [`Change`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// Of [`Change::Claim`].
    Claim(ClaimOutcome),
    /// Of [`Change::Renew`]: false when the claim is somebody else's by now.
    Renewed(bool),
    /// Of [`Change::Forget`]: how many.
    Forgotten(usize),
    /// Of [`Change::Hold`].
    Hold(HoldOutcome),
    /// Of [`Change::Settle`], [`Change::Ask`] and [`Change::Close`].
    Settled,
    /// Of [`Change::AddKey`]: false where there is no such account. Of [`Change::RevokeKey`]: false where there was no such
    /// key.
    Key(bool),
    /// Of [`Change::End`] and [`Change::Decide`]: false when the money was not aside any more.
    Decided(bool),
    /// Of [`Change::Open`]: false when it was there.
    Opened(bool),
    /// Of [`Change::Credit`].
    Credit(CreditOutcome),
    /// Of [`Change::Edit`]: what holds of its subject now, as JSON.
    ChangeRecord(String),
}

/// A digest of the account, service, version, method and idempotency key, in hexadecimal digits.
pub type ClaimKey = Arc<str>;

/// A call claims an idempotency key.
#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    /// What it is unique for.
    pub key: ClaimKey,
    /// A digest of the request, in hexadecimal digits.
    pub fingerprint: Arc<str>,
    /// Tells this holder from those before and after it.
    pub fence: Arc<str>,
    /// Now; microseconds since 1970.
    pub at: i64,
    /// Until when nobody else may claim it.
    pub until: i64,
    /// Whether the call may not be carried out a second time, whatever became of the first.
    pub once: bool,
    /// What the key takes in the database before it has an answer, where that is counted: of callers who are not known.
    pub bytes: Option<i64>,
    /// Whether the key may be claimed if it is new; an old one is answered in any case.
    #[serde(skip)]
    pub has_room: bool,
}

/// What came of a [`Claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// It is the call's, which may go on.
    Granted,
    /// Another call has it, until then at the most; microseconds since 1970.
    InProgress(i64),
    /// It belongs to another request.
    Mismatch,
    /// The call was carried out; this is its stored answer.
    Done(String),
    /// A call that must happen once began and did not end.
    Unknown,
    /// It is new, and there is no room for it.
    NoRoom,
}

/// Money comes into an account.
#[derive(Clone, Debug)]
pub struct Credit {
    /// Whose.
    pub account: Arc<str>,
    /// How much; more than nothing.
    pub amount: Money,
    /// Where it comes from; the same reference again brings no more.
    pub reference: Arc<str>,
    /// Microseconds since 1970.
    pub at: i64,
    /// The operator.
    pub who: Arc<str>,
}

/// An operator's change, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperatorChange {
    /// Microseconds since 1970.
    pub at: i64,
    /// The operator.
    pub who: Arc<str>,
    /// Of what.
    pub kind: ChangeKind,
    /// Of which; empty when there is only one.
    pub subject: Arc<str>,
    /// What holds now, as JSON; of a provider, only what is different.
    pub document: String,
}

/// What operators change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// A price list is added.
    Prices,
    /// The limits are others.
    Limits,
    /// A provider's switches are others.
    Provider,
    /// An account is opened.
    Account,
    /// Money comes into an account.
    Credit,
    /// A client's key is made or revoked.
    Key,
    /// Money that stayed aside is charged or given back.
    Hold,
}

/// A change as it stands in the books.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeRecord {
    /// The version of all settings that it made.
    pub id: i64,
    /// Microseconds since 1970.
    pub at: i64,
    /// The operator.
    pub who: String,
    /// Of what.
    pub kind: ChangeKind,
    /// Of which.
    pub subject: String,
    /// What holds since then, as JSON.
    pub document: String,
}

/// What came of a [`Credit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditOutcome {
    /// The money is there.
    CreditOutcome,
    /// It was, for this reference.
    Duplicate,
    /// The reference was used for another amount.
    Mismatch,
    /// There is no such account.
    NoAccount,
    /// The balance would be larger than can be written.
    Overflow,
}

/// A call has ended: its row, its money and its key, all at once.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The row.
    pub request: RequestRecord,
    /// The money that was set aside, and how much of it the call has cost: none when that is not known, and the money
    /// stays aside.
    pub hold: Option<(Hold, Option<Money>)>,
    /// The key that was claimed, and what becomes of it.
    pub claim: Option<(ClaimKey, Arc<str>, ClaimEnd)>,
}

impl Settlement {
    /// Whether the call is charged anything.
    pub(crate) fn charges(&self) -> bool {
        self.hold
            .as_ref()
            .is_some_and(|(_, charge)| charge.is_some_and(|charge| charge.nanos() > 0))
    }
}

/// What becomes of a claim when its call has ended.
#[derive(Clone, Debug)]
pub enum ClaimEnd {
    /// The call was not carried out; the next may.
    Release,
    /// Nobody knows whether the key was claimed, since the wait for it was cut off: if it was, or will be by a commit that
    /// is still on its way, it is free again.
    Undo,
    /// Whoever asks again gets this answer, until then; microseconds since 1970.
    Answer(String, i64),
}

/// The record of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// Its name in the books.
    pub call: CallId,
    /// Its name for the caller.
    pub request_id: String,
    /// When it came; microseconds since 1970.
    pub at: i64,
    /// Who pays.
    pub account: Option<Arc<str>>,
    /// Who called.
    pub user: Option<Arc<str>>,
    /// By what road: `http`, `ws`, `bus`, `webhook`.
    pub origin: Cow<'static, str>,
    /// The service …
    pub service: Cow<'static, str>,
    /// … its version …
    pub version: u32,
    /// … and the method.
    pub method: Cow<'static, str>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The error's code.
    pub code: Option<Cow<'static, str>>,
    /// Whether the caller got what they asked for.
    pub fulfilled: bool,
    /// Whether the answer came from the cache.
    pub cache_hit: bool,
    /// Whether the answer was given before, under the same idempotency key.
    pub replay: bool,
    /// What the account pays, in 10⁻⁹ …
    pub price: Option<i64>,
    /// … of this currency.
    pub currency: Option<Currency>,
    /// What the attempts cost us, in 10⁻⁹ …
    pub cost: Option<i64>,
    /// … of this currency.
    pub cost_currency: Option<Currency>,
    /// The provider that answered.
    pub provider: Option<Cow<'static, str>>,
    /// How long it took, in microseconds.
    pub duration: i64,
    /// The client's address.
    pub peer: Option<String>,
    /// The trace's id (W3C Trace Context).
    pub trace: Option<String>,
    /// The attempts at providers, as JSON.
    pub attempts: Option<String>,
}

impl RequestRecord {
    /// The code of a call whose stream has begun and has not ended: its row is completed when it has. Where it stays, the
    /// gateway of the call has ended before its stream.
    pub const STREAMING: &'static str = "streaming";
    /// The code of a call that was cut off by the end of its gateway.
    pub const INTERRUPTED: &'static str = "interrupted";

    /// Whether the call may yet get a row that says how it ended.
    pub(super) fn is_provisional(&self) -> bool {
        matches!(self.code.as_deref(), Some(Self::STREAMING | Self::INTERRUPTED))
    }
}

/// What an account has in one currency, and what its ledger says; in 10⁻⁹ of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Audit {
    /// Whose.
    pub account: String,
    /// In which currency.
    pub currency: String,
    /// What can be spent.
    pub available: i64,
    /// What is set aside for calls.
    pub held: i64,
    /// The sum of the ledger's entries.
    pub entries: i64,
    /// The sum of the open holds.
    pub holds: i64,
}

impl Audit {
    /// Whether the balance is what the ledger and the holds add up to.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.available + self.held == self.entries && self.held == self.holds
    }
}
