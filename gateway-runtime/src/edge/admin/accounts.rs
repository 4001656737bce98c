//! Accounts, what they have, and what moved.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    base::{
        error::{Code, Error},
        money::Money,
    },
    edge::admin::{
        operation::{Nothing, Request},
        state::{Desk, away, unexpected},
        values::{Iso, Moment, NAME, Page, Paging, Positive, Told},
    },
    store::{self, Change, Credited, Outcome},
};

/// What is asked for contradicts what there is.
const CONFLICT: Code = Code::new("conflict", 409, "Conflict");

/// The plan of an account for which none was named.
const STANDARD: &str = "standard";

/// A new account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountCreate {
    /// Its name, as credentials have it.
    #[schemars(regex(pattern = NAME))]
    id: String,
    /// Its plan, by which limits and prices can differ; `standard` when left out.
    #[schemars(regex(pattern = NAME))]
    plan: Option<String>,
}

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Account {
    /// Its name.
    id: String,
    /// Its plan.
    plan: String,
    /// When it was opened.
    created: Moment,
    /// What it has, by currency.
    balances: Vec<Balance>,
}

/// What an account has in one currency.
#[derive(Debug, Serialize, JsonSchema)]
struct Balance {
    /// The currency.
    currency: String,
    /// What can be spent.
    available: Told,
    /// What is set aside for calls that have not ended, or whose outcome is unknown.
    held: Told,
}

/// Opens an account; the same again changes nothing.
pub(super) async fn open(desk: Arc<Desk>, request: Request<AccountCreate>) -> Result<Account, Error> {
    let AccountCreate { id, plan } = request.input;
    let plan = plan.unwrap_or_else(|| STANDARD.to_owned());
    let change = Change::Open {
        account: id.as_str().into(),
        plan: plan.as_str().into(),
        at: Moment::now().0,
        who: request.operator.name,
    };
    match desk.write(change).await? {
        Outcome::Opened(_) => {}
        other => return Err(unexpected(&other)),
    }
    let account = find(&desk, &id).await?;
    if account.plan != plan {
        return Err(Error::new(CONFLICT, format!("this account is there, under the plan `{}`", account.plan)));
    }
    Ok(account)
}

/// Tells of an account.
pub(super) async fn read(desk: Arc<Desk>, request: Request<Nothing>) -> Result<Account, Error> {
    find(&desk, &request.at[0]).await
}

async fn find(desk: &Desk, id: &str) -> Result<Account, Error> {
    let books = desk.books()?;
    let account = books.account(id).await.map_err(away)?.ok_or_else(no_account)?;
    let balances = books.balances(id).await.map_err(away)?;
    let balances = balances.into_iter().map(|balance| Balance {
        currency: balance.currency,
        available: balance.available.into(),
        held: balance.held.into(),
    });
    let store::Account { id, plan, created } = account;
    Ok(Account { id, plan, created: Moment(created), balances: balances.collect() })
}

pub(super) fn no_account() -> Error {
    Error::not_found("there is no such account; POST /admin/accounts opens one")
}

/// Money that comes in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreditCreate {
    /// How much.
    amount: Positive,
    /// In which currency.
    currency: Iso,
    /// Where it comes from, such as the number of a payment. The same reference again brings no more.
    #[schemars(regex(pattern = NAME))]
    reference: String,
}

/// Money that came in.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Credit {
    /// How much.
    amount: Told,
    /// In which currency.
    currency: String,
    /// Where it came from.
    reference: String,
    /// Whether it had come in before, under the same reference.
    repeated: bool,
}

/// Brings money into an account, once for a reference.
pub(super) async fn credit(desk: Arc<Desk>, request: Request<CreditCreate>) -> Result<Credit, Error> {
    let CreditCreate { amount: Positive(amount), currency: Iso(currency), reference } = request.input;
    let change = Change::Credit(store::Credit {
        account: request.at[0].as_str().into(),
        amount: Money::from_nanos(amount.0, currency),
        reference: reference.as_str().into(),
        at: Moment::now().0,
        who: request.operator.name,
    });
    let conflict = |detail| Err(Error::new(CONFLICT, detail));
    let repeated = match desk.write(change).await? {
        Outcome::Credit(Credited::Credited) => false,
        Outcome::Credit(Credited::Already) => true,
        Outcome::Credit(Credited::NoAccount) => return Err(no_account()),
        Outcome::Credit(Credited::Mismatch) => {
            return conflict("this reference brought another amount in before; each payment has its own");
        }
        Outcome::Credit(Credited::TooMuch) => return conflict("the balance would be more than can be written"),
        other => return Err(unexpected(&other)),
    };
    Ok(Credit { amount: amount.0.into(), currency: currency.to_string(), reference, repeated })
}

/// One movement of an account's money.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Entry {
    /// When.
    at: Moment,
    /// `credit`: money came in. `charge`: a call was paid for.
    #[schemars(extend("enum" = ["credit", "charge"]))]
    kind: String,
    /// What the balance grew by: less than nothing for a charge.
    amount: Told,
    /// In which currency.
    currency: String,
    /// The credit's reference, or the `id` of the charged request.
    reference: String,
}

/// Lists what moved.
pub(super) async fn entries(desk: Arc<Desk>, request: Request<Paging>) -> Result<Page<Entry>, Error> {
    let (account, paging) = (&request.at[0], request.input);
    let books = desk.books()?;
    let entries = books.entries(account, paging.after(), paging.limit + 1).await.map_err(away)?;
    if entries.is_empty() && books.account(account).await.map_err(away)?.is_none() {
        return Err(no_account());
    }
    let tell = |entry: store::Entry| Entry {
        at: Moment(entry.at),
        amount: if entry.kind == "credit" { entry.amount.into() } else { Told(-i128::from(entry.amount)) },
        kind: entry.kind,
        currency: entry.currency,
        reference: entry.reference,
    };
    Ok(Page::of(entries, paging.limit, |entry| entry.id.to_string(), tell))
}
