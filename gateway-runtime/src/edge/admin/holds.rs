//! Holds: money set aside for calls. An operator settles the holds of calls whose outcome is
//! unknown, once it has been found out (reconciliation, SEMANTICS §7).

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    base::{error::Error, money::Money},
    edge::admin::{
        operation::OperationRequest,
        state::{AdminState, store_error, unexpected},
        values::{Amount, DecimalAmount, Page, Timestamp},
    },
    json::violation::Violation,
    store::{self, Command, CommandOutcome, Hold},
};

/// The filter of a list of holds.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HoldFilter {
    /// Lists only holds of calls whose outcome is unknown.
    unknown: bool,
    /// The cursor: `next` of the page before.
    #[schemars(regex(pattern = r"^[0-9a-f]{1,64}$"))]
    after: Option<String>,
    /// The maximum number of items; 50 when left out.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
}

/// A hold: money set aside for a call.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct HoldView {
    /// The `id` of the request.
    call: Arc<str>,
    /// The account that pays.
    account: Arc<str>,
    /// The amount.
    amount: DecimalAmount,
    /// The currency.
    currency: String,
    /// The time at which the hold was placed.
    at: Timestamp,
    /// True if the call has ended and its outcome is unknown.
    unknown: bool,
    /// The request id that the caller sees, as in `X-Request-Id`.
    request_id: String,
    /// The user who called.
    user: Option<Arc<str>>,
    /// The origin of the request.
    origin: String,
    /// The service; empty for a hold that an earlier version of the gateway wrote.
    service: String,
    /// The version of the service.
    version: u32,
    /// The method.
    method: String,
    /// The last provider that was about to be called; only for methods with the effect `once`.
    provider: Option<String>,
}

/// Lists holds, newest first.
pub(super) async fn list(
    state: Arc<AdminState>,
    request: OperationRequest<HoldFilter>,
) -> Result<Page<HoldView>, Error> {
    let HoldFilter { unknown, after, limit } = request.input;
    let limit = limit.unwrap_or(50);
    let found =
        state.store()?.holds(unknown, after.as_deref(), limit + 1).await.map_err(store_error)?;
    Ok(Page::of(
        found,
        limit,
        |(hold, _)| hold.call.to_string(),
        |(hold, unknown)| to_view(hold, unknown),
    ))
}

/// Converts a hold of the store.
fn to_view(hold: Hold, unknown: bool) -> HoldView {
    let call = &hold.attribution;
    HoldView {
        request_id: call.request_id.clone(),
        user: call.user.clone(),
        origin: call.origin.to_string(),
        service: call.service.to_string(),
        version: call.version,
        method: call.method.to_string(),
        provider: call.provider.as_ref().map(ToString::to_string),
        amount: hold.amount.nanos().into(),
        currency: hold.amount.currency().to_string(),
        at: Timestamp(hold.at),
        unknown,
        call: hold.call,
        account: hold.account,
    }
}

/// The decision about a hold: one of the two members.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum HoldResolution {
    /// The amount that is charged; the remainder is released.
    Charge(Amount),
    // No `const`: openapi-generator turns it into an enum of strings.
    /// `true`: the whole hold is released.
    Release(bool),
}

/// A hold that was settled.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct HoldSettled {
    /// The amount that was charged.
    charged: DecimalAmount,
    /// The currency.
    currency: String,
}

/// Settles a hold whose outcome is unknown.
///
/// # Errors
///
/// `invalid-request` for a charge above the hold or `release: false`; `not-found` if there is no
/// such hold.
pub(super) async fn settle(
    state: Arc<AdminState>,
    request: OperationRequest<HoldResolution>,
) -> Result<HoldSettled, Error> {
    if matches!(request.input, HoldResolution::Release(false)) {
        let detail = "must be true".to_owned();
        return Err(Error::invalid(vec![Violation { pointer: "/release".to_owned(), detail }]));
    }
    let (store, call) = (state.store()?, &*request.path_params[0]);
    let found = store.open_hold(call).await.map_err(store_error)?;
    let (hold, is_unknown) = found.ok_or_else(no_hold)?;
    if !is_unknown {
        return Err(no_hold());
    }
    let charge = match request.input {
        HoldResolution::Charge(Amount(nanos)) if nanos > hold.amount.nanos() => {
            let detail = format!("must be at most {}, the amount of the hold", hold.amount);
            return Err(Error::invalid(vec![Violation { pointer: "/charge".to_owned(), detail }]));
        }
        HoldResolution::Charge(Amount(nanos)) => nanos,
        HoldResolution::Release(_) => 0,
    };
    let charge = Money::from_nanos(charge, hold.amount.currency());
    let row = store.requests(&[call]).await.map_err(store_error)?.pop();
    // Row, margin and ledger agree after an operator's settlement too (SEMANTICS §7).
    let row = row.map(|row| {
        let (price, currency) = (Some(charge.nanos()), Some(charge.currency()));
        Box::new(store::RequestRecord { price, currency, ..row })
    });
    let decide = Command::ResolveUnknownHold {
        hold,
        charge,
        request: row,
        at: Timestamp::now().0,
        who: request.operator.name,
    };
    match state.write(decide).await? {
        CommandOutcome::Decided(true) => Ok(HoldSettled {
            charged: charge.nanos().into(),
            currency: charge.currency().to_string(),
        }),
        CommandOutcome::Decided(false) => Err(no_hold()),
        other => Err(unexpected(&other)),
    }
}

/// Returns `not-found` for a call without a hold of unknown outcome.
fn no_hold() -> Error {
    Error::not_found("no hold with unknown outcome for this call")
}
