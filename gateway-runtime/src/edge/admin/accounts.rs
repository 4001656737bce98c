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
        operation::{EmptyInput, OperationRequest},
        state::{AdminState, store_error, unexpected},
        values::{CurrencyCode, DecimalAmount, NAME, Page, PageQuery, Positive, Timestamp},
    },
    store::{self, Command, CommandOutcome, CreditOutcome},
};

/// What is asked for contradicts what there is.
const CONFLICT: Code = Code::new("conflict", 409, "Conflict");

/// The plan of an account for which none was named.
const DEFAULT_PLAN: &str = "standard";

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
pub(super) struct AccountView {
    /// Its name.
    id: String,
    /// Its plan.
    plan: String,
    /// When it was opened.
    created: Timestamp,
    /// What it has, by currency.
    balances: Vec<BalanceView>,
}

/// What an account has in one currency.
#[derive(Debug, Serialize, JsonSchema)]
struct BalanceView {
    /// The currency.
    currency: String,
    /// What can be spent.
    available: DecimalAmount,
    /// What is set aside for calls that have not ended, or whose outcome is unknown.
    held: DecimalAmount,
}

/// Opens an account; the same again changes nothing.
pub(super) async fn open(
    desk: Arc<AdminState>,
    request: OperationRequest<AccountCreate>,
) -> Result<AccountView, Error> {
    let AccountCreate { id, plan } = request.input;
    let plan = plan.unwrap_or_else(|| DEFAULT_PLAN.to_owned());
    let change = Command::OpenAccount {
        account: id.as_str().into(),
        plan: plan.as_str().into(),
        at: Timestamp::now().0,
        who: request.operator.name,
    };
    match desk.write(change).await? {
        CommandOutcome::Opened(_) => {}
        other => return Err(unexpected(&other)),
    }
    let account = find(&desk, &id).await?;
    if account.plan != plan {
        return Err(Error::new(
            CONFLICT,
            format!("this account is there, under the plan `{}`", account.plan),
        ));
    }
    Ok(account)
}

/// Tells of an account.
pub(super) async fn read(
    desk: Arc<AdminState>,
    request: OperationRequest<EmptyInput>,
) -> Result<AccountView, Error> {
    find(&desk, &request.path_params[0]).await
}

async fn find(desk: &AdminState, id: &str) -> Result<AccountView, Error> {
    let books = desk.books()?;
    let account = books.account(id).await.map_err(store_error)?.ok_or_else(no_account)?;
    let balances = books.balances(id).await.map_err(store_error)?;
    let balances = balances.into_iter().map(|balance| BalanceView {
        currency: balance.currency,
        available: balance.available.into(),
        held: balance.held.into(),
    });
    let store::Account { id, plan, created } = account;
    Ok(AccountView { id, plan, created: Timestamp(created), balances: balances.collect() })
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
    currency: CurrencyCode,
    /// Where it comes from, such as the number of a payment. The same reference again brings no more.
    #[schemars(regex(pattern = NAME))]
    reference: String,
}

/// Money that came in.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CreditRequest {
    /// How much.
    amount: DecimalAmount,
    /// In which currency.
    currency: String,
    /// Where it came from.
    reference: String,
    /// Whether it had come in before, under the same reference.
    repeated: bool,
}

/// Brings money into an account, once for a reference.
pub(super) async fn credit(
    desk: Arc<AdminState>,
    request: OperationRequest<CreditCreate>,
) -> Result<CreditRequest, Error> {
    let CreditCreate { amount: Positive(amount), currency: CurrencyCode(currency), reference } =
        request.input;
    let change = Command::Credit(store::Credit {
        account: request.path_params[0].as_str().into(),
        amount: Money::from_nanos(amount.0, currency),
        reference: reference.as_str().into(),
        at: Timestamp::now().0,
        who: request.operator.name,
    });
    let conflict = |detail| Err(Error::new(CONFLICT, detail));
    let repeated = match desk.write(change).await? {
        CommandOutcome::Credit(CreditOutcome::CreditOutcome) => false,
        CommandOutcome::Credit(CreditOutcome::Duplicate) => true,
        CommandOutcome::Credit(CreditOutcome::NoAccount) => return Err(no_account()),
        CommandOutcome::Credit(CreditOutcome::Mismatch) => {
            return conflict(
                "this reference brought another amount in before; each payment has its own",
            );
        }
        CommandOutcome::Credit(CreditOutcome::Overflow) => {
            return conflict("the balance would be more than can be written");
        }
        other => return Err(unexpected(&other)),
    };
    Ok(CreditRequest {
        amount: amount.0.into(),
        currency: currency.to_string(),
        reference,
        repeated,
    })
}

/// One movement of an account's money.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct EntryView {
    /// When.
    at: Timestamp,
    /// `credit`: money came in. `charge`: a call was paid for.
    #[schemars(extend("enum" = ["credit", "charge"]))]
    kind: String,
    /// What the balance grew by: less than nothing for a charge.
    amount: DecimalAmount,
    /// In which currency.
    currency: String,
    /// The credit's reference, or the `id` of the charged request.
    reference: String,
}

/// Lists what moved.
pub(super) async fn entries(
    desk: Arc<AdminState>,
    request: OperationRequest<PageQuery>,
) -> Result<Page<EntryView>, Error> {
    let (account, paging) = (&request.path_params[0], request.input);
    let books = desk.books()?;
    let entries =
        books.entries(account, paging.after(), paging.limit + 1).await.map_err(store_error)?;
    if entries.is_empty() && books.account(account).await.map_err(store_error)?.is_none() {
        return Err(no_account());
    }
    let tell = |entry: store::LedgerEntry| EntryView {
        at: Timestamp(entry.at),
        amount: if entry.kind == "credit" {
            entry.amount.into()
        } else {
            DecimalAmount(-i128::from(entry.amount))
        },
        kind: entry.kind,
        currency: entry.currency,
        reference: entry.reference,
    };
    Ok(Page::of(entries, paging.limit, |entry| entry.id.to_string(), tell))
}
