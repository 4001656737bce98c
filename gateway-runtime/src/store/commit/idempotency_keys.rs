//! Idempotency keys: who may go on, and who gets an answer that was given before.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::store::{
    Change, Claim, Claimed, Closing, Outcome, StoreError,
    commit::Write,
    sql::statements::{
        ADD_CLAIMS, CLOSE_CLAIMS, FORGET_CLAIMS, LOCK_CLAIMS, RELEASE_CLAIMS, RENEW_CLAIMS, TAKE_CLAIMS,
    },
};

/// A claim as it stands in the books.
#[derive(Deserialize)]
struct Standing {
    key: String,
    fingerprint: String,
    fence: String,
    until: i64,
    once: bool,
    answer: Option<String>,
}

impl Standing {
    /// What it means for another claim of the same key; none when that may have it.
    fn against(&self, claim: &Claim) -> Option<Claimed> {
        let over = self.until < claim.at;
        match &self.answer {
            Some(_) if over => None,
            _ if *self.fingerprint != *claim.fingerprint => Some(Claimed::Mismatch),
            Some(answer) => Some(Claimed::Done(answer.clone())),
            None if !over => Some(Claimed::InProgress(self.until)),
            // Its holder is gone, and may have got as far as doing it.
            None if self.once => Some(Claimed::Unknown),
            None => None,
        }
    }
}

#[derive(Serialize)]
struct Taking<'c> {
    #[serde(flatten)]
    claim: &'c Claim,
    before: String,
}

/// A claim that holds a key only as long as the transaction that undoes it.
#[derive(Serialize)]
struct Taken<'c> {
    key: &'c str,
    fence: &'c str,
    fingerprint: &'static str,
    until: i64,
    once: bool,
}

impl<'c> Taken<'c> {
    fn by(key: &'c str, fence: &'c str) -> Self {
        Self { key, fence, fingerprint: "", until: 0, once: false }
    }
}

#[derive(Serialize)]
struct Closed<'c> {
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
        write: &mut Write,
        changes: &[Change],
        outcomes: &mut [Outcome],
    ) -> Result<(), StoreError> {
        close(write, changes).await?;
        renew(write, changes, outcomes).await?;
        claim(write, changes, outcomes).await?;
        forget(write, changes, outcomes).await
    }
}

async fn forget(write: &mut Write, changes: &[Change], outcomes: &mut [Outcome]) -> Result<(), StoreError> {
    for (change, outcome) in changes.iter().zip(outcomes) {
        if let Change::Forget { answered, open } = change {
            let old = json!({ "answered": answered, "open": open });
            let forgotten: Vec<u8> = write.rows(&FORGET_CLAIMS, vec![old]).await?;
            *outcome = Outcome::Forgotten(forgotten.len());
        }
    }
    Ok(())
}

async fn close(write: &mut Write, changes: &[Change]) -> Result<(), StoreError> {
    let (mut answered, mut released, mut undone) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        let (key, fence, closing) = match change {
            Change::Settle(settlement) => match &settlement.claim {
                Some((key, fence, closing)) => (key, fence, closing),
                None => continue,
            },
            Change::Close { key, fence, closing } => (key, fence, closing),
            _ => continue,
        };
        match closing {
            Closing::Answer(answer, until) => {
                answered.push(Closed { key, fence, until: Some(*until), answer: Some(answer) });
            }
            Closing::Release => released.push(Closed { key, fence, until: None, answer: None }),
            Closing::Undo => {
                undone.push(Taken::by(key, fence));
                released.push(Closed { key, fence, until: None, answer: None });
            }
        }
    }
    write.later(&CLOSE_CLAIMS, answered).await?;
    // Claims them once more: where the commit of the first time is still on its way, this waits for it.
    write.rows::<_, String>(&ADD_CLAIMS, undone).await?;
    write.rows::<_, ()>(&RELEASE_CLAIMS, released).await.map(drop)
}

async fn renew(write: &mut Write, changes: &[Change], outcomes: &mut [Outcome]) -> Result<(), StoreError> {
    let renewals = changes.iter().filter_map(|change| match change {
        Change::Renew { key, fence, until } => Some(Closed { key, fence, until: Some(*until), answer: None }),
        _ => None,
    });
    let renewed: Vec<String> = write.rows(&RENEW_CLAIMS, renewals.collect()).await?;
    for (change, outcome) in changes.iter().zip(outcomes) {
        if let Change::Renew { fence, .. } = change {
            *outcome = Outcome::Renewed(renewed.iter().any(|other| **other == **fence));
        }
    }
    Ok(())
}

async fn claim(write: &mut Write, changes: &[Change], outcomes: &mut [Outcome]) -> Result<(), StoreError> {
    // A caller who gave up waiting for a claim has undone it already, in the same batch perhaps.
    let undone: HashSet<&str> = changes.iter().filter_map(as_undone).collect();
    let as_claim = |change| as_claim(change).filter(|claim| !undone.contains(&*claim.fence));
    let claims = || changes.iter().enumerate().filter_map(|(at, change)| Some((at, as_claim(change)?)));
    let new = claims().map(|(_, claim)| claim).filter(|claim| claim.has_room);
    let granted: Vec<String> = write.rows(&ADD_CLAIMS, new.collect()).await?;
    let mut keys = Vec::new();
    for (at, claim) in claims() {
        outcomes[at] = Outcome::Claim(if claim.has_room { Claimed::Granted } else { Claimed::NoRoom });
        if !granted.iter().any(|fence| **fence == *claim.fence) {
            keys.push(&claim.key);
        }
    }
    keys.sort();
    keys.dedup();
    let standing: Vec<Standing> = write.rows(&LOCK_CLAIMS, keys).await?;
    let mut standing: HashMap<String, Standing> = standing.into_iter().map(|s| (s.key.clone(), s)).collect();
    let mut taken = Vec::new();
    for (at, claim) in claims() {
        let Some(other) = standing.get_mut(&*claim.key).filter(|other| *other.fence != *claim.fence) else { continue };
        if let Some(refusal) = other.against(claim) {
            outcomes[at] = Outcome::Claim(refusal);
            continue;
        }
        if !claim.has_room {
            continue;
        }
        taken.push(Taking { claim, before: other.fence.clone() });
        *other = Standing {
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

/// The fence of a claim that is undone.
fn as_undone(change: &Change) -> Option<&str> {
    match change {
        Change::Settle(settlement) => match &settlement.claim {
            Some((_, fence, Closing::Undo)) => Some(fence),
            _ => None,
        },
        Change::Close { fence, closing: Closing::Undo, .. } => Some(fence),
        _ => None,
    }
}

fn as_claim(change: &Change) -> Option<&Claim> {
    match change {
        Change::Claim(claim) => Some(claim),
        _ => None,
    }
}
