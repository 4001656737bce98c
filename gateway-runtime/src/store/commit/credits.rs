//! Accounts and their credits.

use serde::Deserialize;
use serde_json::json;

use crate::store::{
    Command, CommandOutcome, Credit, CreditOutcome, StoreError,
    commit::{balance_key::BalanceKey, batch::Batch, entry::NewEntry, ledger::LockedBalances},
    sql::statements::{CREDITS, FIND_CREDITS, OPEN_ACCOUNTS},
};

/// Opens accounts.
pub(super) async fn open_accounts(
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

#[derive(Deserialize)]
struct FoundCredit {
    #[serde(flatten)]
    of: BalanceKey,
    reference: String,
    amount: i64,
}

impl LockedBalances {
    /// Applies the credits of a batch.
    pub(super) async fn credit(
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
}

fn as_credit(change: &Command) -> Option<&Credit> {
    match change {
        Command::Credit(credit) => Some(credit),
        _ => None,
    }
}
