//! What the client is told where the bus brought no answer.

use std::time::Duration;

use http::Method;

use crate::{
    base::error::{Code, Error},
    bus::{BusError, Fault},
    edge::dispatch::unanswered,
};

/// In which time the bus is likely to be back.
const SOON: Duration = Duration::from_secs(1);

/// The problem of a request with this HTTP method.
pub(super) fn of(error: &BusError, method: &Method) -> Error {
    let overloaded = |detail| Error::new(Code::OVERLOADED, detail).retry_after(SOON);
    let told = match error.fault() {
        Fault::Away => overloaded("the message bus cannot be reached now; nothing was sent"),
        Fault::Blocked => overloaded("the message bus takes no messages now; nothing was sent"),
        Fault::Refused => overloaded("the message bus did not take the message"),
        Fault::Unroutable => {
            Error::new(Code::UNROUTABLE, "nobody receives what is sent to this address").retry_after(SOON)
        }
        Fault::Unfit => Error::new(Code::INVALID_REQUEST, "the request cannot be sent as a message"),
        Fault::Lost if method.is_idempotent() => {
            overloaded("the message bus was lost before an answer came; the request may be sent again")
        }
        Fault::Lost | Fault::Unconfirmed | Fault::Unanswered => unanswered(method),
    };
    told.log(error)
}
