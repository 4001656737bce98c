//! Store commands and their outcomes.
//!
//! A caller sends a [`Command`] to the store writer, which commits many of them in one transaction
//! and returns a [`CommandOutcome`] for each.

use std::{borrow::Cow, sync::Arc};

use crate::{
    base::money::Money,
    store::{
        ApiKeyRecord, CallId, Claim, ClaimEnd, ClaimKey, ClaimOutcome, Credit, CreditOutcome, Hold,
        HoldOutcome, OperatorChange, RequestRecord, Settlement,
    },
};

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
    ResolveAbandonedHold {
        /// The hold.
        hold: Hold,
        /// The amount to charge; `None` keeps the hold.
        charge: Option<Money>,
    },
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
    /// Adds an API key.
    AddKey {
        /// The key.
        key: ApiKeyRecord,
        /// The name of the operator.
        who: Arc<str>,
    },
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
        end: ClaimEnd,
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
