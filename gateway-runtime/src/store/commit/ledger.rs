//! Accounts, balances, holds and the append-only double-entry ledger.
//!
//! An entry names one account. The other side is the operator's and follows from the entry's kind:
//! a `credit` comes from there, a `charge` goes there.
//!
//! A hold is captured when its call was fulfilled, released on definite failure, and kept for
//! reconciliation when the outcome is unknown (SEMANTICS §7).

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    base::money::{Currency, Money},
    store::{
        Command, CommandOutcome, Credit, CreditOutcome, Hold, HoldOutcome, StoreError, Value,
        commit::{Batch, holds::as_values},
        sql::statements::{
            CHARGES, CREDITS, ENSURE_BALANCES, FIND_CREDITS, HOLDS, KEEP_HOLDS, LOCK_BALANCES,
            NOTE_PROVIDERS, OPEN_ACCOUNTS, SET_BALANCES,
        },
    },
};

/// The key of a balance: account and currency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct BalanceKey {
    pub(super) account: Arc<str>,
    pub(super) currency: Currency,
}

impl BalanceKey {
    fn new(account: &Arc<str>, amount: Money) -> Self {
        Self { account: Arc::clone(account), currency: amount.currency() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct LockedBalance {
    #[serde(flatten)]
    of: BalanceKey,
    available: i64,
    held: i64,
}

/// A ledger entry to be inserted.
struct NewEntry<'c> {
    at: i64,
    account: &'c str,
    kind: &'static str,
    amount: Money,
    reference: &'c str,
}

impl NewEntry<'_> {
    fn values(&self) -> [Value<'_>; 6] {
        let Self { at, account, kind, amount, reference } = self;
        let (currency, nanos) = (amount.code(), amount.nanos());
        [
            (*reference).into(),
            (*at).into(),
            (*account).into(),
            currency.into(),
            (*kind).into(),
            nanos.into(),
        ]
    }
}

#[derive(Deserialize)]
struct FoundCredit {
    #[serde(flatten)]
    of: BalanceKey,
    reference: String,
    amount: i64,
}

/// The balances that a batch changes, locked until the transaction ends.
pub(super) struct LockedBalances {
    balances: BTreeMap<BalanceKey, LockedBalance>,
}

impl LockedBalances {
    /// Opens accounts, locks the balances of a batch, and applies its credits.
    pub(super) async fn open(
        write: &mut Batch,
        changes: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<Self, StoreError> {
        open_accounts(write, changes, outcomes).await?;
        let (mut concerned, mut credited) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                Command::Credit(credit) => {
                    credited.push(BalanceKey::new(&credit.account, credit.amount))
                }
                Command::Hold(hold) => concerned.push(BalanceKey::new(&hold.account, hold.amount)),
                Command::Settle(_)
                | Command::ResolveAbandonedHold(..)
                | Command::ResolveUnknownHold { .. } => {
                    concerned.extend(
                        as_ended_hold(change)
                            .map(|(hold, ..)| BalanceKey::new(&hold.account, hold.amount)),
                    );
                }
                _ => {}
            }
        }
        concerned.extend(credited.iter().cloned());
        for ofs in [&mut credited, &mut concerned] {
            ofs.sort();
            ofs.dedup();
        }
        write.rows::<_, ()>(&ENSURE_BALANCES, credited).await?;
        let balances: Vec<LockedBalance> = write.rows(&LOCK_BALANCES, concerned).await?;
        let mut this = Self {
            balances: balances.into_iter().map(|balance| (balance.of.clone(), balance)).collect(),
        };
        this.credit(write, changes, outcomes).await?;
        Ok(this)
    }

    async fn credit(
        &mut self,
        write: &mut Batch,
        changes: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        let credits =
            || changes.iter().enumerate().filter_map(|(at, change)| Some((at, as_credit(change)?)));
        let asked =
            credits().map(|(_, c)| json!({ "account": c.account, "reference": c.reference }));
        let mut known: Vec<FoundCredit> =
            write.rows(&FIND_CREDITS, asked.collect::<Vec<_>>()).await?;
        let mut entries = Vec::new();
        for (at, credit) in credits() {
            let Credit { account, amount, reference, at: now, .. } = credit;
            let of = BalanceKey::new(account, *amount);
            let before =
                known.iter().find(|c| c.of.account == *account && *c.reference == **reference);
            let outcome = match (before, self.balances.get_mut(&of)) {
                (Some(c), _) if c.of == of && c.amount == amount.nanos() => {
                    CreditOutcome::Duplicate
                }
                (Some(_), _) => CreditOutcome::Mismatch,
                (None, None) => CreditOutcome::NoAccount,
                // Checks the sum of held and available, so that a release cannot overflow.
                (None, Some(balance)) => {
                    match amount.nanos().checked_add(balance.held + balance.available) {
                        None => CreditOutcome::Overflow,
                        Some(_) => {
                            balance.available += amount.nanos();
                            entries.push(NewEntry {
                                at: *now,
                                account,
                                kind: "credit",
                                amount: *amount,
                                reference,
                            });
                            known.push(FoundCredit {
                                of,
                                reference: reference.to_string(),
                                amount: amount.nanos(),
                            });
                            CreditOutcome::Credited
                        }
                    }
                }
            };
            outcomes[at] = CommandOutcome::Credit(outcome);
        }
        write.insert(&CREDITS, entries.iter().map(NewEntry::values)).await
    }

    /// Resolves the holds of calls that have ended: captures the price and releases the difference,
    /// or keeps the hold where the outcome is unknown.
    pub(super) async fn settle(
        &mut self,
        write: &mut Batch,
        changes: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        let settled = || changes.iter().filter_map(as_ended_hold);
        let unknown = settled().filter(|(_, cost, _)| cost.is_none()).map(|(hold, ..)| &hold.call);
        let unknown: HashSet<String> =
            write.rows(&KEEP_HOLDS, unknown.collect()).await?.into_iter().collect();
        let ended = settled().filter(|(_, cost, _)| cost.is_some()).map(|(hold, ..)| &*hold.call);
        // Only holds that still exist are resolved: an operator, or an earlier command of this
        // batch, may have resolved one before.
        let mut ended = write.delete(&HOLDS, ended.collect()).await?.into_iter();
        let mut entries = Vec::new();
        for (change, outcome) in changes.iter().zip(outcomes) {
            let Some((hold, cost, at)) = as_ended_hold(change) else { continue };
            let is_ended = match cost {
                Some(_) => ended.next().unwrap_or(false),
                None => unknown.contains(&*hold.call),
            };
            if let Command::ResolveAbandonedHold(..) | Command::ResolveUnknownHold { .. } = change {
                *outcome = CommandOutcome::Decided(is_ended);
            }
            let Some(cost) = cost else { continue };
            if !is_ended {
                continue;
            }
            let of = BalanceKey::new(&hold.account, hold.amount);
            let Some(balance) = self.balances.get_mut(&of) else { continue };
            let held = hold.amount.nanos();
            let cost = cost.nanos().clamp(0, held);
            balance.held -= held;
            balance.available += held - cost;
            if cost > 0 {
                let amount = Money::from_nanos(cost, hold.amount.currency());
                entries.push(NewEntry {
                    at,
                    account: &hold.account,
                    kind: "charge",
                    amount,
                    reference: &hold.call,
                });
            }
        }
        write.insert(&CHARGES, entries.iter().map(NewEntry::values)).await
    }

    /// Places holds, for as many calls as the balances cover.
    pub(super) async fn hold(
        &mut self,
        write: &mut Batch,
        changes: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        // A caller that stopped waiting for a hold has ended its call already, possibly in this
        // batch.
        let ended: HashSet<&str> =
            changes.iter().filter_map(as_ended_hold).map(|(hold, ..)| &*hold.call).collect();
        let mut held = Vec::new();
        for (change, outcome) in changes.iter().zip(outcomes) {
            let Command::Hold(hold) = change else { continue };
            if ended.contains(&*hold.call) {
                *outcome = CommandOutcome::Hold(HoldOutcome::Insufficient { available: 0 });
                continue;
            }
            let amount = hold.amount.nanos();
            let balance = self.balances.get_mut(&BalanceKey::new(&hold.account, hold.amount));
            let available = balance.as_ref().map_or(0, |balance| balance.available);
            *outcome = CommandOutcome::Hold(match balance {
                Some(balance) if balance.available >= amount => {
                    balance.available -= amount;
                    balance.held += amount;
                    held.push(hold);
                    HoldOutcome::Held
                }
                _ => HoldOutcome::Insufficient { available },
            });
        }
        write.insert(&HOLDS, held.into_iter().map(as_values)).await?;
        let asked = changes.iter().filter_map(|change| match change {
            Command::Ask { call, provider } => Some(json!({ "call": call, "provider": provider })),
            _ => None,
        });
        write.later(&NOTE_PROVIDERS, asked.collect()).await
    }

    /// Writes the balances back.
    pub(super) async fn close(self, write: &mut Batch) -> Result<(), StoreError> {
        write.later(&SET_BALANCES, self.balances.into_values().collect()).await
    }
}

async fn open_accounts(
    write: &mut Batch,
    changes: &[Command],
    outcomes: &mut [CommandOutcome],
) -> Result<(), StoreError> {
    let opened = changes.iter().filter_map(|change| match change {
        Command::OpenAccount { account, plan, at, .. } => {
            Some(json!({ "id": account, "plan": plan, "created": at }))
        }
        _ => None,
    });
    let mut new: Vec<String> = write.rows(&OPEN_ACCOUNTS, opened.collect()).await?;
    for (change, outcome) in changes.iter().zip(outcomes) {
        if let Command::OpenAccount { account, .. } = change {
            let place = new.iter().position(|id| **id == **account);
            *outcome = CommandOutcome::Opened(place.map(|place| new.swap_remove(place)).is_some());
        }
    }
    Ok(())
}

fn as_credit(change: &Command) -> Option<&Credit> {
    match change {
        Command::Credit(credit) => Some(credit),
        _ => None,
    }
}

/// Returns the hold that a command resolves, the amount to capture and the time of the entry.
fn as_ended_hold(change: &Command) -> Option<(&Hold, Option<Money>, i64)> {
    match change {
        Command::Settle(settlement) => {
            settlement.hold.as_ref().map(|(hold, cost)| (hold, *cost, settlement.request.at))
        }
        Command::ResolveAbandonedHold(hold, cost) => Some((hold, *cost, hold.at)),
        Command::ResolveUnknownHold { hold, charge, at, .. } => Some((hold, Some(*charge), *at)),
        _ => None,
    }
}
