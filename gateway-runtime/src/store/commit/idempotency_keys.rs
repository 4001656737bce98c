//! Idempotency keys (SEMANTICS §5): claims of keys by fenced leases, and stored answers.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::store::{
    Claim, ClaimEnd, ClaimOutcome, Command, CommandOutcome, StoreError,
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
        let over = self.until < claim.at;
        match &self.answer {
            Some(_) if over => None,
            _ if *self.fingerprint != *claim.fingerprint => Some(ClaimOutcome::Mismatch),
            Some(answer) => Some(ClaimOutcome::Done(answer.clone())),
            None if !over => Some(ClaimOutcome::InProgress(self.until)),
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
struct TakenClaims<'c> {
    key: &'c str,
    fence: &'c str,
    fingerprint: &'static str,
    until: i64,
    once: bool,
}

impl<'c> TakenClaims<'c> {
    fn by(key: &'c str, fence: &'c str) -> Self {
        Self { key, fence, fingerprint: "", until: 0, once: false }
    }
}

#[derive(Serialize)]
struct ClosedClaims<'c> {
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
        write: &mut Batch,
        changes: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        close(write, changes).await?;
        renew(write, changes, outcomes).await?;
        claim(write, changes, outcomes).await?;
        forget(write, changes, outcomes).await
    }
}

async fn forget(
    write: &mut Batch,
    changes: &[Command],
    outcomes: &mut [CommandOutcome],
) -> Result<(), StoreError> {
    for (change, outcome) in changes.iter().zip(outcomes) {
        if let Command::ExpireClaims { answered, open } = change {
            let old = json!({ "answered": answered, "open": open });
            let forgotten: Vec<u8> = write.rows(&FORGET_CLAIMS, vec![old]).await?;
            *outcome = CommandOutcome::Forgotten(forgotten.len());
        }
    }
    Ok(())
}

async fn close(write: &mut Batch, changes: &[Command]) -> Result<(), StoreError> {
    let (mut answered, mut released, mut undone) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        let (key, fence, closing) = match change {
            Command::Settle(settlement) => match &settlement.claim {
                Some((key, fence, closing)) => (key, fence, closing),
                None => continue,
            },
            Command::Close { key, fence, closing } => (key, fence, closing),
            _ => continue,
        };
        match closing {
            ClaimEnd::Answer(answer, until) => {
                answered.push(ClosedClaims {
                    key,
                    fence,
                    until: Some(*until),
                    answer: Some(answer),
                });
            }
            ClaimEnd::Release => {
                released.push(ClosedClaims { key, fence, until: None, answer: None })
            }
            ClaimEnd::Undo => {
                undone.push(TakenClaims::by(key, fence));
                released.push(ClosedClaims { key, fence, until: None, answer: None });
            }
        }
    }
    write.later(&CLOSE_CLAIMS, answered).await?;
    // The second claim waits for the first if its commit is still under way; the release below then
    // frees both.
    write.rows::<_, String>(&ADD_CLAIMS, undone).await?;
    write.rows::<_, ()>(&RELEASE_CLAIMS, released).await.map(drop)
}

async fn renew(
    write: &mut Batch,
    changes: &[Command],
    outcomes: &mut [CommandOutcome],
) -> Result<(), StoreError> {
    let renewals = changes.iter().filter_map(|change| match change {
        Command::Renew { key, fence, until } => {
            Some(ClosedClaims { key, fence, until: Some(*until), answer: None })
        }
        _ => None,
    });
    let renewed: Vec<String> = write.rows(&RENEW_CLAIMS, renewals.collect()).await?;
    for (change, outcome) in changes.iter().zip(outcomes) {
        if let Command::Renew { fence, .. } = change {
            *outcome = CommandOutcome::Renewed(renewed.iter().any(|other| **other == **fence));
        }
    }
    Ok(())
}

async fn claim(
    write: &mut Batch,
    changes: &[Command],
    outcomes: &mut [CommandOutcome],
) -> Result<(), StoreError> {
    // A caller that stopped waiting for a claim has undone it already, possibly in this batch.
    let undone: HashSet<&str> = changes.iter().filter_map(as_undone).collect();
    let as_claim = |change| as_claim(change).filter(|claim| !undone.contains(&*claim.fence));
    let claims =
        || changes.iter().enumerate().filter_map(|(at, change)| Some((at, as_claim(change)?)));
    let new = claims().map(|(_, claim)| claim).filter(|claim| claim.has_room);
    let granted: Vec<String> = write.rows(&ADD_CLAIMS, new.collect()).await?;
    let mut keys = Vec::new();
    for (at, claim) in claims() {
        outcomes[at] = CommandOutcome::Claim(if claim.has_room {
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
    let standing: Vec<StoredClaim> = write.rows(&LOCK_CLAIMS, keys).await?;
    let mut standing: HashMap<String, StoredClaim> =
        standing.into_iter().map(|s| (s.key.clone(), s)).collect();
    let mut taken = Vec::new();
    for (at, claim) in claims() {
        let Some(other) =
            standing.get_mut(&*claim.key).filter(|other| *other.fence != *claim.fence)
        else {
            continue;
        };
        if let Some(refusal) = other.conflict_with(claim) {
            outcomes[at] = CommandOutcome::Claim(refusal);
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
    write.rows::<_, ()>(&TAKE_CLAIMS, taken).await?;
    Ok(())
}

/// Returns the fence of a claim that the command undoes.
fn as_undone(change: &Command) -> Option<&str> {
    match change {
        Command::Settle(settlement) => match &settlement.claim {
            Some((_, fence, ClaimEnd::Undo)) => Some(fence),
            _ => None,
        },
        Command::Close { fence, closing: ClaimEnd::Undo, .. } => Some(fence),
        _ => None,
    }
}

fn as_claim(change: &Command) -> Option<&Claim> {
    match change {
        Command::Claim(claim) => Some(claim),
        _ => None,
    }
}
