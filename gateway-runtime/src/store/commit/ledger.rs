//! Accounts, balances, holds and the append-only double-entry ledger.
//!
//! An entry names one account. The other side is the operator's and follows from the entry's kind:
//! a `credit` comes from there, a `charge` goes there.
//!
//! A hold is captured when its call was fulfilled, released on definite failure, and kept for
//! reconciliation when the outcome is unknown (SEMANTICS §7).

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    base::money::Money,
    store::{
        Command, CommandOutcome, Hold, HoldOutcome, StoreError,
        commit::{balance_key::BalanceKey, batch::Batch, entry::NewEntry, holds::as_values},
        sql::statements::{
            CHARGES, ENSURE_BALANCES, HOLDS, KEEP_HOLDS, LOCK_BALANCES, NOTE_PROVIDERS,
            SET_BALANCES,
        },
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LockedBalance {
    #[serde(flatten)]
    of: BalanceKey,
    pub(super) available: i64,
    pub(super) held: i64,
}

/// The balances that a batch changes, locked until the transaction ends.
pub(super) struct LockedBalances {
    pub(super) balances: BTreeMap<BalanceKey, LockedBalance>,
}

impl LockedBalances {
    /// Locks the balances of a batch.
    pub(super) async fn lock(write: &mut Batch, changes: &[Command]) -> Result<Self, StoreError> {
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
        Ok(Self {
            balances: balances.into_iter().map(|balance| (balance.of.clone(), balance)).collect(),
        })
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
