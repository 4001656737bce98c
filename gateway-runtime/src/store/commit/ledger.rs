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
        Command, CommandOutcome, Hold, HoldOutcome, SettledHold, StoreError,
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
    key: BalanceKey,
    pub(super) available: i64,
    pub(super) held: i64,
}

/// The balances that a batch changes, locked until the transaction ends.
pub(super) struct LockedBalances {
    pub(super) balances: BTreeMap<BalanceKey, LockedBalance>,
}

impl LockedBalances {
    /// Locks the balances of a batch.
    pub(super) async fn lock(batch: &mut Batch, commands: &[Command]) -> Result<Self, StoreError> {
        let mut concerned = Vec::new();
        let mut credited = Vec::new();
        for command in commands {
            match command {
                Command::Credit(credit) => {
                    credited.push(BalanceKey::new(&credit.account, credit.amount))
                }
                Command::Hold(hold) => concerned.push(BalanceKey::new(&hold.account, hold.amount)),
                Command::Settle(_)
                | Command::ResolveAbandonedHold { .. }
                | Command::ResolveUnknownHold { .. } => {
                    let ended = as_ended_hold(command);
                    concerned.extend(
                        ended.map(|ended| BalanceKey::new(&ended.hold.account, ended.hold.amount)),
                    );
                }
                _ => {}
            }
        }
        concerned.extend(credited.iter().cloned());
        for keys in [&mut credited, &mut concerned] {
            keys.sort();
            keys.dedup();
        }
        batch.rows::<_, ()>(&ENSURE_BALANCES, credited).await?;
        let balances: Vec<LockedBalance> = batch.rows(&LOCK_BALANCES, concerned).await?;
        Ok(Self {
            balances: balances.into_iter().map(|balance| (balance.key.clone(), balance)).collect(),
        })
    }

    /// Resolves the holds of calls that have ended: captures the price and releases the difference,
    /// or keeps the hold where the outcome is unknown.
    pub(super) async fn settle(
        &mut self,
        batch: &mut Batch,
        commands: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        let settled = || commands.iter().filter_map(as_ended_hold);
        let unknown = settled().filter(|ended| ended.charge.is_none());
        let unknown = unknown.map(|ended| &ended.hold.call);
        let unknown: HashSet<String> =
            batch.rows(&KEEP_HOLDS, unknown.collect()).await?.into_iter().collect();
        let ended = settled().filter(|ended| ended.charge.is_some());
        let ended = ended.map(|ended| &*ended.hold.call);
        // Only holds that still exist are resolved: an operator, or an earlier command of this
        // batch, may have resolved one before.
        let mut ended = batch.delete(&HOLDS, ended.collect()).await?.into_iter();
        let mut entries = Vec::new();
        for (command, outcome) in commands.iter().zip(outcomes) {
            let Some(EndedHold { hold, charge, at }) = as_ended_hold(command) else { continue };
            let is_ended = match charge {
                Some(_) => ended.next().unwrap_or(false),
                None => unknown.contains(&*hold.call),
            };
            if let Command::ResolveAbandonedHold { .. } | Command::ResolveUnknownHold { .. } =
                command
            {
                *outcome = CommandOutcome::Decided(is_ended);
            }
            let Some(charge) = charge else { continue };
            if !is_ended {
                continue;
            }
            let key = BalanceKey::new(&hold.account, hold.amount);
            let Some(balance) = self.balances.get_mut(&key) else { continue };
            let held = hold.amount.nanos();
            let charge = charge.nanos().clamp(0, held);
            balance.held -= held;
            balance.available += held - charge;
            if charge > 0 {
                let amount = Money::from_nanos(charge, hold.amount.currency());
                entries.push(NewEntry {
                    at,
                    account: &hold.account,
                    kind: "charge",
                    amount,
                    reference: &hold.call,
                });
            }
        }
        batch.insert(&CHARGES, entries.iter().map(NewEntry::values)).await
    }

    /// Places holds, for as many calls as the balances cover.
    pub(super) async fn hold(
        &mut self,
        batch: &mut Batch,
        commands: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        // A caller that stopped waiting for a hold has ended its call already, possibly in this
        // batch.
        let ended: HashSet<&str> =
            commands.iter().filter_map(as_ended_hold).map(|ended| &*ended.hold.call).collect();
        let mut placed = Vec::new();
        for (command, outcome) in commands.iter().zip(outcomes) {
            let Command::Hold(hold) = command else { continue };
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
                    placed.push(hold);
                    HoldOutcome::Held
                }
                _ => HoldOutcome::Insufficient { available },
            });
        }
        batch.insert(&HOLDS, placed.into_iter().map(as_values)).await?;
        let providers = commands.iter().filter_map(|command| match command {
            Command::Ask { call, provider } => Some(json!({ "call": call, "provider": provider })),
            _ => None,
        });
        batch.later(&NOTE_PROVIDERS, providers.collect()).await
    }

    /// Writes the balances back.
    pub(super) async fn close(self, batch: &mut Batch) -> Result<(), StoreError> {
        batch.later(&SET_BALANCES, self.balances.into_values().collect()).await
    }
}

/// A hold that a command resolves.
struct EndedHold<'c> {
    hold: &'c Hold,
    /// The amount to capture; `None` keeps the hold.
    charge: Option<Money>,
    /// The time of the entry.
    at: i64,
}

/// Returns the hold that a command resolves.
fn as_ended_hold(command: &Command) -> Option<EndedHold<'_>> {
    match command {
        Command::Settle(settlement) => {
            let SettledHold { hold, charge } = settlement.hold.as_ref()?;
            Some(EndedHold { hold, charge: *charge, at: settlement.request.at })
        }
        Command::ResolveAbandonedHold { hold, charge } => {
            Some(EndedHold { hold, charge: *charge, at: hold.at })
        }
        Command::ResolveUnknownHold { hold, charge, at, .. } => {
            Some(EndedHold { hold, charge: Some(*charge), at: *at })
        }
        _ => None,
    }
}
