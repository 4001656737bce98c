//! Idempotency keys (SEMANTICS §5): claims of keys by fenced leases, each claimed in one statement,
//! and stored answers.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::store::{
    Claim, ClaimEnd, ClaimOutcome, Command, CommandOutcome, SettledClaim, StoreError,
    commit::batch::Batch,
    sql::statements::{
        ADD_CLAIMS, CLOSE_CLAIMS, FORGET_CLAIMS, LOCK_CLAIMS, RELEASE_CLAIMS, RENEW_CLAIMS,
        TAKE_CLAIMS,
    },
};

/// A claim as it is stored.
#[derive(Deserialize)]
struct StoredClaim {
    key: String,
    fingerprint: String,
    fence: String,
    until: i64,
    once: bool,
    answer: Option<String>,
}

impl StoredClaim {
    /// Returns the conflict with another claim of the same key; `None` if that claim may take the
    /// key over.
    fn conflict_with(&self, claim: &Claim) -> Option<ClaimOutcome> {
        let is_expired = self.until < claim.at;
        match &self.answer {
            Some(_) if is_expired => None,
            _ if *self.fingerprint != *claim.fingerprint => Some(ClaimOutcome::Mismatch),
            Some(answer) => Some(ClaimOutcome::Done(answer.clone())),
            None if !is_expired => Some(ClaimOutcome::InProgress(self.until)),
            // The holder is gone, and may have executed the call.
            None if self.once => Some(ClaimOutcome::Unknown),
            None => None,
        }
    }
}

#[derive(Serialize)]
struct TakeOver<'c> {
    #[serde(flatten)]
    claim: &'c Claim,
    before: String,
}

/// A claim that holds a key only within the transaction that undoes it.
#[derive(Serialize)]
struct UndoneClaim<'c> {
    key: &'c str,
    fence: &'c str,
    fingerprint: &'static str,
    until: i64,
    once: bool,
}

impl<'c> UndoneClaim<'c> {
    fn by(key: &'c str, fence: &'c str) -> Self {
        Self { key, fence, fingerprint: "", until: 0, once: false }
    }
}

#[derive(Serialize)]
struct ClaimUpdate<'c> {
    key: &'c str,
    fence: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'c str>,
}

pub(super) struct Claims;

impl Claims {
    pub(super) async fn write(
        batch: &mut Batch,
        commands: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        close(batch, commands).await?;
        renew(batch, commands, outcomes).await?;
        claim(batch, commands, outcomes).await?;
        forget(batch, commands, outcomes).await
    }
}

async fn forget(
    batch: &mut Batch,
    commands: &[Command],
    outcomes: &mut [CommandOutcome],
) -> Result<(), StoreError> {
    for (command, outcome) in commands.iter().zip(outcomes) {
        if let Command::ExpireClaims { answered, open } = command {
            let old = json!({ "answered": answered, "open": open });
            let forgotten: Vec<u8> = batch.rows(&FORGET_CLAIMS, vec![old]).await?;
            *outcome = CommandOutcome::Forgotten(forgotten.len());
        }
    }
    Ok(())
}

async fn close(batch: &mut Batch, commands: &[Command]) -> Result<(), StoreError> {
    let mut completed = Vec::new();
    let mut released = Vec::new();
    let mut undone = Vec::new();
    for command in commands {
        let (key, fence, end) = match command {
            Command::Settle(settlement) => match &settlement.claim {
                Some(SettledClaim { key, fence, end }) => (key, fence, end),
                None => continue,
            },
            Command::Close { key, fence, end } => (key, fence, end),
            _ => continue,
        };
        match end {
            ClaimEnd::Complete { reply, until } => {
                completed.push(ClaimUpdate {
                    key,
                    fence,
                    until: Some(*until),
                    answer: Some(reply),
                });
            }
            ClaimEnd::Release => {
                released.push(ClaimUpdate { key, fence, until: None, answer: None })
            }
            ClaimEnd::Undo => {
                undone.push(UndoneClaim::by(key, fence));
                released.push(ClaimUpdate { key, fence, until: None, answer: None });
            }
        }
    }
    batch.later(&CLOSE_CLAIMS, completed).await?;
    // The second claim waits for the first if its commit is still under way; the release below then
    // frees both.
    batch.rows::<_, String>(&ADD_CLAIMS, undone).await?;
    batch.rows::<_, ()>(&RELEASE_CLAIMS, released).await.map(drop)
}

async fn renew(
    batch: &mut Batch,
    commands: &[Command],
    outcomes: &mut [CommandOutcome],
) -> Result<(), StoreError> {
    let renewals = commands.iter().filter_map(|command| match command {
        Command::Renew { key, fence, until } => {
            Some(ClaimUpdate { key, fence, until: Some(*until), answer: None })
        }
        _ => None,
    });
    let renewed: Vec<String> = batch.rows(&RENEW_CLAIMS, renewals.collect()).await?;
    for (command, outcome) in commands.iter().zip(outcomes) {
        if let Command::Renew { fence, .. } = command {
            *outcome = CommandOutcome::Renewed(renewed.iter().any(|other| **other == **fence));
        }
    }
    Ok(())
}

async fn claim(
    batch: &mut Batch,
    commands: &[Command],
    outcomes: &mut [CommandOutcome],
) -> Result<(), StoreError> {
    // A caller that stopped waiting for a claim has undone it already, possibly in this batch.
    let undone: HashSet<&str> = commands.iter().filter_map(as_undone).collect();
    let as_claim = |command| as_claim(command).filter(|claim| !undone.contains(&*claim.fence));
    let claims = || {
        commands.iter().enumerate().filter_map(|(index, command)| Some((index, as_claim(command)?)))
    };
    let new = claims().map(|(_, claim)| claim).filter(|claim| claim.has_room);
    let granted: Vec<String> = batch.rows(&ADD_CLAIMS, new.collect()).await?;
    let mut keys = Vec::new();
    for (index, claim) in claims() {
        outcomes[index] = CommandOutcome::Claim(if claim.has_room {
            ClaimOutcome::Granted
        } else {
            ClaimOutcome::NoRoom
        });
        if !granted.iter().any(|fence| **fence == *claim.fence) {
            keys.push(&claim.key);
        }
    }
    keys.sort();
    keys.dedup();
    let stored: Vec<StoredClaim> = batch.rows(&LOCK_CLAIMS, keys).await?;
    let mut stored: HashMap<String, StoredClaim> =
        stored.into_iter().map(|claim| (claim.key.clone(), claim)).collect();
    let mut taken = Vec::new();
    for (index, claim) in claims() {
        let Some(other) = stored.get_mut(&*claim.key).filter(|other| *other.fence != *claim.fence)
        else {
            continue;
        };
        if let Some(conflict) = other.conflict_with(claim) {
            outcomes[index] = CommandOutcome::Claim(conflict);
            continue;
        }
        if !claim.has_room {
            continue;
        }
        taken.push(TakeOver { claim, before: other.fence.clone() });
        *other = StoredClaim {
            key: claim.key.to_string(),
            fingerprint: claim.fingerprint.to_string(),
            fence: claim.fence.to_string(),
            until: claim.until,
            once: claim.once,
            answer: None,
        };
    }
    batch.rows::<_, ()>(&TAKE_CLAIMS, taken).await?;
    Ok(())
}

/// Returns the fence of a claim that the command undoes.
fn as_undone(command: &Command) -> Option<&str> {
    match command {
        Command::Settle(settlement) => match &settlement.claim {
            Some(SettledClaim { fence, end: ClaimEnd::Undo, .. }) => Some(fence),
            _ => None,
        },
        Command::Close { fence, end: ClaimEnd::Undo, .. } => Some(fence),
        _ => None,
    }
}

fn as_claim(command: &Command) -> Option<&Claim> {
    match command {
        Command::Claim(claim) => Some(claim),
        _ => None,
    }
}
