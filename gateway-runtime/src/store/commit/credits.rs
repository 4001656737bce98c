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
    batch: &mut Batch,
    commands: &[Command],
    outcomes: &mut [CommandOutcome],
) -> Result<(), StoreError> {
    let opened = commands.iter().filter_map(|command| match command {
        Command::OpenAccount { account, plan, at, .. } => {
            Some(json!({ "id": account, "plan": plan, "created": at }))
        }
        _ => None,
    });
    let mut new: Vec<String> = batch.rows(&OPEN_ACCOUNTS, opened.collect()).await?;
    for (command, outcome) in commands.iter().zip(outcomes) {
        if let Command::OpenAccount { account, .. } = command {
            let index = new.iter().position(|id| **id == **account);
            *outcome = CommandOutcome::Opened(index.map(|index| new.swap_remove(index)).is_some());
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct FoundCredit {
    #[serde(flatten)]
    key: BalanceKey,
    reference: String,
    amount: i64,
}

impl LockedBalances {
    /// Applies the credits of a batch.
    pub(super) async fn credit(
        &mut self,
        batch: &mut Batch,
        commands: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        let credits = || {
            commands
                .iter()
                .enumerate()
                .filter_map(|(index, command)| Some((index, as_credit(command)?)))
        };
        let references =
            credits().map(|(_, c)| json!({ "account": c.account, "reference": c.reference }));
        let mut known: Vec<FoundCredit> =
            batch.rows(&FIND_CREDITS, references.collect::<Vec<_>>()).await?;
        let mut entries = Vec::new();
        for (index, credit) in credits() {
            let Credit { account, amount, reference, at: now, .. } = credit;
            let key = BalanceKey::new(account, *amount);
            let before =
                known.iter().find(|c| c.key.account == *account && *c.reference == **reference);
            let outcome = match (before, self.balances.get_mut(&key)) {
                (Some(c), _) if c.key == key && c.amount == amount.nanos() => {
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
                                key,
                                reference: reference.to_string(),
                                amount: amount.nanos(),
                            });
                            CreditOutcome::Credited
                        }
                    }
                }
            };
            outcomes[index] = CommandOutcome::Credit(outcome);
        }
        batch.insert(&CREDITS, entries.iter().map(NewEntry::values)).await
    }
}

fn as_credit(command: &Command) -> Option<&Credit> {
    match command {
        Command::Credit(credit) => Some(credit),
        _ => None,
    }
}
