//! What operators change, and the trace of all that they do.

use std::{borrow::Cow, collections::HashMap};

use serde_json::{Map, Value, json};

use crate::store::{
    Change, Credited, Edit, EditKind, Edited, Outcome, StoreError,
    commit::{Write, from_json, to_json},
    sql::statements::{ADD_CHANGES, LATEST_CHANGES, LOCK_CHANGES},
};

pub(super) struct Edits;

impl Edits {
    pub(super) async fn write(
        write: &mut Write,
        changes: &[Change],
        outcomes: &mut [Outcome],
    ) -> Result<(), StoreError> {
        if !changes.iter().any(is_an_operators) {
            return Ok(());
        }
        write.rows::<_, ()>(&LOCK_CHANGES, vec![0]).await?;
        let mut providers = Providers::read(write, changes).await?;
        let mut edits = Vec::new();
        for (change, outcome) in changes.iter().zip(outcomes) {
            if let Change::Edit(edit) = change {
                let edit = match edit.kind {
                    EditKind::Provider => Cow::Owned(providers.change(edit)?),
                    _ => Cow::Borrowed(edit),
                };
                *outcome = Outcome::Edited(edit.document.clone());
                edits.push(edit);
            } else {
                edits.extend(trace(change, outcome).map(Cow::Owned));
            }
        }
        write.rows::<_, ()>(&ADD_CHANGES, edits).await?;
        Ok(())
    }
}

fn is_an_operators(change: &Change) -> bool {
    matches!(
        change,
        Change::Open { .. }
            | Change::Credit(_)
            | Change::Edit(_)
            | Change::AddKey(..)
            | Change::RevokeKey { .. }
            | Change::Decide { .. }
    )
}

/// The trace that a change leaves, if it changed anything.
fn trace(change: &Change, outcome: &Outcome) -> Option<Edit> {
    let (at, who, kind, subject, document) = match (change, outcome) {
        (Change::Open { account, plan, at, who }, Outcome::Opened(true)) => {
            (at, who, EditKind::Account, account, json!({ "plan": plan }))
        }
        (Change::Credit(credit), Outcome::Credit(Credited::Credited)) => {
            let document = json!({ "amount": credit.amount, "reference": credit.reference });
            (&credit.at, &credit.who, EditKind::Credit, &credit.account, document)
        }
        (Change::AddKey(key, who), Outcome::Key(true)) => {
            let document = json!({ "id": key.id, "scopes": key.scopes, "expires": key.expires });
            (&key.created, who, EditKind::Key, &key.account, document)
        }
        (Change::RevokeKey { account, id, at, who }, Outcome::Key(true)) => {
            (at, who, EditKind::Key, account, json!({ "id": id, "revoked": true }))
        }
        (Change::Decide { hold, charge, at, who, .. }, Outcome::Decided(true)) => {
            let document = json!({ "call": hold.call, "held": hold.amount, "charged": charge });
            (at, who, EditKind::Hold, &hold.account, document)
        }
        _ => return None,
    };
    Some(Edit { at: *at, who: who.clone(), kind, subject: subject.clone(), document: document.to_string() })
}

/// What holds of each provider: a change says only what is different.
struct Providers(HashMap<String, Map<String, Value>>);

impl Providers {
    async fn read(write: &mut Write, changes: &[Change]) -> Result<Self, StoreError> {
        let named = changes.iter().filter_map(|change| match change {
            Change::Edit(edit) if edit.kind == EditKind::Provider => Some(&edit.subject),
            _ => None,
        });
        let mut asked: Vec<Value> = named.map(|name| json!({ "kind": EditKind::Provider, "subject": name })).collect();
        asked.dedup();
        let latest: Vec<Edited> = write.rows(&LATEST_CHANGES, asked).await?;
        let switches = latest.into_iter().map(|edited| Ok((edited.subject, from_json(&edited.document)?)));
        switches.collect::<Result<_, StoreError>>().map(Self)
    }

    fn change(&mut self, edit: &Edit) -> Result<Edit, StoreError> {
        let switches = self.0.entry(edit.subject.to_string()).or_default();
        switches.extend(from_json::<Map<String, Value>>(&edit.document)?);
        Ok(Edit { document: to_json(switches)?, ..edit.clone() })
    }
}
