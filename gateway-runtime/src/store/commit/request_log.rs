//! The request log (SEMANTICS §8): one row a request, which refers to a request kind.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use foldhash::fast::RandomState;
use serde::Serialize;
use serde_json::json;

use crate::{
    base::{digest::Sha256, money::Currency},
    store::{
        Command, CommandOutcome, RequestRecord, StoreError, Value,
        commit::batch::Batch,
        sql::statements::{ADD_KINDS, REQUESTS, SET_PRICES},
    },
};

/// The request kinds that are known to be in the database and need not be written again.
#[derive(Debug, Default)]
pub(super) struct KnownKinds(Mutex<HashSet<i64>>);

/// The most kinds in memory; a gateway of ten thousand methods has about as many.
const MAX_KNOWN_KINDS: usize = 65_536;

impl KnownKinds {
    fn knows(&self, id: i64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }

    /// Adds the kinds that a committed transaction has written.
    pub(super) fn learn(&self, new: impl IntoIterator<Item = i64>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > MAX_KNOWN_KINDS {
            known.clear();
        }
        known.extend(new);
    }
}

/// A request kind: the columns of a request that have few values and few combinations, stored once
/// in a table of their own.
#[derive(Serialize)]
struct RequestKind<'r> {
    id: i64,
    origin: &'r str,
    service: &'r str,
    version: u32,
    method: &'r str,
    status: u16,
    code: Option<&'r str>,
    fulfilled: bool,
    cache_hit: bool,
    replay: bool,
    provider: Option<&'r str>,
    currency: Option<&'r str>,
    cost_currency: Option<&'r str>,
}

impl<'r> RequestKind<'r> {
    fn of(request: &'r RequestRecord) -> Self {
        let mut kind = Self {
            id: 0,
            origin: &request.origin,
            service: &request.service,
            version: request.version,
            method: &request.method,
            status: request.status,
            code: request.code.as_deref(),
            fulfilled: request.fulfilled,
            cache_hit: request.cache_hit,
            replay: request.replay,
            provider: request.provider.as_deref(),
            currency: request.currency.as_ref().map(Currency::code),
            cost_currency: request.cost_currency.as_ref().map(Currency::code),
        };
        kind.id = kind.digest();
        kind
    }

    /// Returns the first 64 bits of a SHA-256, enough to tell a few thousand kinds apart.
    fn digest(&self) -> i64 {
        let mut digest = Sha256::new();
        // A zero byte separates the texts: PostgreSQL cannot store one within a text.
        for text in [
            Some(self.origin),
            Some(self.service),
            Some(self.method),
            self.code,
            self.provider,
            self.currency,
        ]
        .into_iter()
        .chain([self.cost_currency])
        {
            digest.update([u8::from(text.is_some())]);
            digest.update(text.unwrap_or_default());
            digest.update([0]);
        }
        digest.update(self.version.to_be_bytes());
        digest.update(self.status.to_be_bytes());
        digest.update([self.fulfilled, self.cache_hit, self.replay].map(u8::from));
        digest.finish().first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
    }
}

/// Returns the row of a request of the kind `kind`.
fn row(request: &RequestRecord, kind: i64) -> [Value<'_>; 12] {
    [
        (&*request.call).into(),
        request.request_id.as_str().into(),
        request.at.into(),
        request.account.as_deref().into(),
        request.user.as_deref().into(),
        kind.into(),
        request.price.into(),
        request.cost.into(),
        request.duration.into(),
        request.peer.as_deref().into(),
        request.trace.as_deref().into(),
        request.attempts.as_deref().into(),
    ]
}

/// Writes the rows of calls that have ended, and returns the kinds that were not known before.
pub(super) async fn write(
    batch: &mut Batch,
    commands: &[Command],
    outcomes: &[CommandOutcome],
    known: &KnownKinds,
) -> Result<Vec<i64>, StoreError> {
    let interrupted: Vec<RequestRecord> =
        commands.iter().zip(outcomes).filter_map(interrupted).collect();
    let settled = || commands.iter().filter_map(as_settled);
    let (provisional, ended): (Vec<_>, Vec<_>) =
        settled().chain(&interrupted).partition(|request| request.is_provisional());
    let mut new = Vec::new();
    let mut rows = Vec::with_capacity(ended.len() + provisional.len());
    // Final rows come before provisional ones: of a call that begins to stream and ends within this
    // batch, the end is written.
    let mut calls = HashSet::<&str, RandomState>::default();
    for request in ended.into_iter().chain(provisional) {
        if calls.insert(&request.call) {
            rows.push(row(request, learn(&mut new, request, known)));
        }
    }
    let decided = commands.iter().zip(outcomes).filter_map(as_decided);
    let prices: Vec<_> = decided
        .map(|request| {
            let kind = learn(&mut new, request, known);
            json!({ "call": request.call, "kind": kind, "price": request.price })
        })
        .collect();
    // In order of ids, so that two gateways that write the same kinds cannot deadlock.
    new.sort_by_key(|kind| kind.id);
    let ids = new.iter().map(|kind| kind.id).collect();
    batch.rows::<_, ()>(&ADD_KINDS, new).await?;
    batch.insert(&REQUESTS, rows.into_iter()).await?;
    batch.rows::<_, ()>(&SET_PRICES, prices).await?;
    Ok(ids)
}

/// Returns the id of a request's kind, and adds the kind to `new` unless it is known.
fn learn<'r>(
    new: &mut Vec<RequestKind<'r>>,
    request: &'r RequestRecord,
    known: &KnownKinds,
) -> i64 {
    let kind = RequestKind::of(request);
    let id = kind.id;
    if !known.knows(id) && new.iter().all(|other| other.id != id) {
        new.push(kind);
    }
    id
}

fn as_settled(command: &Command) -> Option<&RequestRecord> {
    match command {
        Command::Settle(settlement) => Some(&settlement.request),
        _ => None,
    }
}

/// Returns the row of a call whose gateway is gone, if its hold was still open.
fn interrupted((command, outcome): (&Command, &CommandOutcome)) -> Option<RequestRecord> {
    match (command, outcome) {
        (Command::ResolveAbandonedHold { hold, charge }, CommandOutcome::Decided(true)) => {
            Some(hold.interrupted(*charge))
        }
        _ => None,
    }
}

/// Returns the row of a call whose hold an operator has settled.
fn as_decided<'c>((command, outcome): (&'c Command, &CommandOutcome)) -> Option<&'c RequestRecord> {
    match (command, outcome) {
        (Command::ResolveUnknownHold { request, .. }, CommandOutcome::Decided(true)) => {
            request.as_deref()
        }
        _ => None,
    }
}
