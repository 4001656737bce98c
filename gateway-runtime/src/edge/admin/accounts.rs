//! Accounts: opening them, their balances, their credits, and the entries of the ledger.

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

/// The code of a request that contradicts what is stored.
const CONFLICT: Code = Code::new("conflict", 409, "Conflict");

/// The plan of an account that is opened without one.
const DEFAULT_PLAN: &str = "standard";

/// A new account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountCreate {
    /// The name of the account, as in credentials.
    #[schemars(regex(pattern = NAME))]
    id: String,
    /// The plan, by which limits and prices can differ; `standard` when left out.
    #[schemars(regex(pattern = NAME))]
    plan: Option<String>,
}

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AccountView {
    /// The name of the account.
    id: String,
    /// The plan of the account.
    plan: String,
    /// The time at which the account was opened.
    created: Timestamp,
    /// The balances, one for each currency.
    balances: Vec<BalanceView>,
}

/// The balance of an account in one currency.
#[derive(Debug, Serialize, JsonSchema)]
struct BalanceView {
    /// The currency.
    currency: String,
    /// The amount that can be spent.
    available: DecimalAmount,
    /// The amount held for calls that have not ended, or whose outcome is unknown.
    held: DecimalAmount,
}

/// Opens an account. The same request again changes nothing.
///
/// # Errors
///
/// `conflict` if the account exists under another plan.
pub(super) async fn open(
    state: Arc<AdminState>,
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
    match state.write(change).await? {
        CommandOutcome::Opened(_) => {}
        other => return Err(unexpected(&other)),
    }
    let account = find(&state, &id).await?;
    if account.plan != plan {
        return Err(Error::new(
            CONFLICT,
            format!("the account exists with the plan `{}`", account.plan),
        ));
    }
    Ok(account)
}

/// Returns an account and its balances.
pub(super) async fn read(
    state: Arc<AdminState>,
    request: OperationRequest<EmptyInput>,
) -> Result<AccountView, Error> {
    find(&state, &request.path_params[0]).await
}

/// Returns an account with its balances, or `not-found`.
async fn find(state: &AdminState, id: &str) -> Result<AccountView, Error> {
    let store = state.store()?;
    let account = store.account(id).await.map_err(store_error)?.ok_or_else(no_account)?;
    let balances = store.balances(id).await.map_err(store_error)?;
    let balances = balances.into_iter().map(|balance| BalanceView {
        currency: balance.currency,
        available: balance.available.into(),
        held: balance.held.into(),
    });
    let store::Account { id, plan, created } = account;
    Ok(AccountView { id, plan, created: Timestamp(created), balances: balances.collect() })
}

/// Returns `not-found` for an unknown account.
pub(super) fn no_account() -> Error {
    Error::not_found("account not found; open it with POST /admin/accounts")
}

/// A credit to an account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreditCreate {
    /// The amount.
    amount: Positive,
    /// The currency.
    currency: CurrencyCode,
    /// The source of the money, such as the number of a payment. The same reference is credited
    /// once.
    #[schemars(regex(pattern = NAME))]
    reference: String,
}

/// A credit that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CreditRequest {
    /// The amount.
    amount: DecimalAmount,
    /// The currency.
    currency: String,
    /// The source of the money.
    reference: String,
    /// True if the credit had been written before, under the same reference.
    repeated: bool,
}

/// Credits an account, once for each reference (SEMANTICS §13).
///
/// # Errors
///
/// `not-found` for an unknown account; `conflict` if the reference was used with another amount, or
/// the balance would overflow.
pub(super) async fn credit(
    state: Arc<AdminState>,
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
    let repeated = match state.write(change).await? {
        CommandOutcome::Credit(CreditOutcome::Credited) => false,
        CommandOutcome::Credit(CreditOutcome::Duplicate) => true,
        CommandOutcome::Credit(CreditOutcome::NoAccount) => return Err(no_account()),
        CommandOutcome::Credit(CreditOutcome::Mismatch) => {
            return conflict(
                "the reference was used with another amount; use a new reference for each payment",
            );
        }
        CommandOutcome::Credit(CreditOutcome::Overflow) => {
            return conflict("the balance would exceed the largest amount");
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

/// An entry of the ledger.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct EntryView {
    /// The time of the entry.
    at: Timestamp,
    /// `credit` for money that came in, `charge` for a call that was paid.
    #[schemars(extend("enum" = ["credit", "charge"]))]
    kind: String,
    /// The change of the balance; negative for a charge.
    amount: DecimalAmount,
    /// The currency.
    currency: String,
    /// The credit's reference, or the `id` of the charged request.
    reference: String,
}

/// Lists the entries of an account, newest first.
pub(super) async fn entries(
    state: Arc<AdminState>,
    request: OperationRequest<PageQuery>,
) -> Result<Page<EntryView>, Error> {
    let (account, paging) = (&request.path_params[0], request.input);
    let store = state.store()?;
    let entries =
        store.entries(account, paging.after(), paging.limit + 1).await.map_err(store_error)?;
    if entries.is_empty() && store.account(account).await.map_err(store_error)?.is_none() {
        return Err(no_account());
    }
    let to_view = |entry: store::LedgerEntry| EntryView {
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
    Ok(Page::of(entries, paging.limit, |entry| entry.id.to_string(), to_view))
}
