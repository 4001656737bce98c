//! Money that stays aside because nobody knows how its call ended: an operator who has found out says so here.

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

/// Which holds.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HoldFilter {
    /// Only those of calls of which nobody knows how they ended.
    unknown: bool,
    /// What the part before gave as `next`.
    #[schemars(regex(pattern = r"^[0-9a-f]{1,64}$"))]
    after: Option<String>,
    /// The most that is told; 50 when left out.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
}

/// Money set aside for a call.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct HoldView {
    /// The `id` of the request.
    call: Arc<str>,
    /// Whose it is.
    account: Arc<str>,
    /// How much.
    amount: DecimalAmount,
    /// In which currency.
    currency: String,
    /// When it was set aside.
    at: Timestamp,
    /// Whether the call is over and nobody knows how it ended.
    unknown: bool,
    /// The name of the request for its caller, as in `X-Request-Id`.
    request_id: String,
    /// The user who called.
    user: Option<Arc<str>>,
    /// By what road the request came.
    origin: String,
    /// The service; empty for a hold that an earlier program has written.
    service: String,
    /// The version of the service.
    version: u32,
    /// The method.
    method: String,
    /// The provider that was about to be asked last, of a method that must happen once.
    provider: Option<String>,
}

/// Lists holds, newest first.
pub(super) async fn list(
    desk: Arc<AdminState>,
    request: OperationRequest<HoldFilter>,
) -> Result<Page<HoldView>, Error> {
    let HoldFilter { unknown, after, limit } = request.input;
    let limit = limit.unwrap_or(50);
    let found =
        desk.books()?.holds(unknown, after.as_deref(), limit + 1).await.map_err(store_error)?;
    Ok(Page::of(
        found,
        limit,
        |(hold, _)| hold.call.to_string(),
        |(hold, unknown)| tell(hold, unknown),
    ))
}

fn tell(hold: Hold, unknown: bool) -> HoldView {
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

/// What becomes of the money: one of both.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum HoldResolution {
    /// So much of it is charged, and the rest given back.
    Charge(Amount),
    // No `const`, of which openapi-generator makes an enum of texts.
    /// All of it is given back: `true`.
    Release(bool),
}

/// What became of the money.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct HoldSettled {
    /// What was charged.
    charged: DecimalAmount,
    /// In which currency.
    currency: String,
}

/// Settles a hold.
pub(super) async fn settle(
    desk: Arc<AdminState>,
    request: OperationRequest<HoldResolution>,
) -> Result<HoldSettled, Error> {
    if matches!(request.input, HoldResolution::Release(false)) {
        let detail = "must be true".to_owned();
        return Err(Error::invalid(vec![Violation { pointer: "/release".to_owned(), detail }]));
    }
    let (books, call) = (desk.books()?, &*request.path_params[0]);
    let found = books.open_hold(call).await.map_err(store_error)?;
    let (hold, is_unknown) = found.ok_or_else(no_hold)?;
    if !is_unknown {
        return Err(no_hold());
    }
    let charge = match request.input {
        HoldResolution::Charge(Amount(nanos)) if nanos > hold.amount.nanos() => {
            let detail = format!("is more than the {} that are set aside", hold.amount);
            return Err(Error::invalid(vec![Violation { pointer: "/charge".to_owned(), detail }]));
        }
        HoldResolution::Charge(Amount(nanos)) => nanos,
        HoldResolution::Release(_) => 0,
    };
    let charge = Money::from_nanos(charge, hold.amount.currency());
    let row = books.requests(&[call]).await.map_err(store_error)?.pop();
    // The row says what the ledger says.
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
    match desk.write(decide).await? {
        CommandOutcome::Decided(true) => Ok(HoldSettled {
            charged: charge.nanos().into(),
            currency: charge.currency().to_string(),
        }),
        CommandOutcome::Decided(false) => Err(no_hold()),
        other => Err(unexpected(&other)),
    }
}

fn no_hold() -> Error {
    Error::not_found("no money stays aside for a call of this id whose end is unknown")
}
