//! A placed hold: the most that a call may cost, until its charge is captured or the hold is
//! released.

use http::{HeaderName, HeaderValue};

use crate::{
    base::{
        call::Call,
        error::Error,
        money::{Currency, Money},
        reply::Reply,
    },
    pipeline::billing::price_table::Price,
    store::Hold,
};

/// The amount that the account pays for the call, such as `0.001`.
const PRICE: HeaderName = HeaderName::from_static("x-request-price");
/// The currency of the amount.
const CURRENCY: HeaderName = HeaderName::from_static("x-request-currency");

/// The hold of a call, and the price that it is for.
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct PlacedHold {
    pub(super) hold: Hold,
    pub(super) price: Price,
}

impl PlacedHold {
    /// Returns the charge of the call, and adds its price to the response: zero if the call failed,
    /// `None` if the outcome is unknown.
    pub(in crate::pipeline) fn charge(
        self,
        call: &Call,
        outcome: &Result<Reply, Error>,
        is_unknown: bool,
    ) -> (Hold, Option<Money>) {
        let charge = match outcome {
            Ok(_) if call.is_cache_hit() => Some(self.price.cached()),
            Ok(_) => Some(self.price.of(call)),
            Err(_) if is_unknown => None,
            Err(_) => Some(self.nothing()),
        };
        if let Some(charge) = charge {
            add_price_headers(call, charge);
        }
        (self.hold, charge)
    }

    /// Releases a hold that may have been placed, for a call that ended before the store replied.
    pub(in crate::pipeline) fn release(self, call: &Call) -> (Hold, Option<Money>) {
        let nothing = self.nothing();
        add_price_headers(call, nothing);
        (self.hold, Some(nothing))
    }

    fn nothing(&self) -> Money {
        Money::from_nanos(0, self.hold.amount.currency())
    }
}

fn add_price_headers(call: &Call, charge: Money) {
    call.set_charge(charge);
    if let (Ok(amount), Ok(currency)) = (
        HeaderValue::try_from(charge.amount()),
        HeaderValue::from_str(Currency::code(&charge.currency())),
    ) {
        call.add_response_header(PRICE, amount);
        call.add_response_header(CURRENCY, currency);
    }
}
