//! Errors of the bus, as problems for the client.

use std::time::Duration;

use http::Method;

use crate::{
    base::error::{Code, Error},
    bus::{BusError, BusErrorKind},
    edge::dispatch::no_reply_error,
};

/// The `Retry-After` while the bus is unavailable.
const BUS_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Returns the problem for a bus error of a request with this HTTP method.
pub(super) fn of(error: &BusError, method: &Method) -> Error {
    let overloaded =
        |detail| Error::new(Code::OVERLOADED, detail).with_retry_after(BUS_RETRY_AFTER);
    let problem = match error.kind() {
        BusErrorKind::Disconnected => {
            overloaded("the message broker is unavailable and nothing was sent; retry later")
        }
        BusErrorKind::Blocked => {
            overloaded("the message broker is blocked and nothing was sent; retry later")
        }
        BusErrorKind::Nacked => overloaded("the message broker rejected the message"),
        BusErrorKind::Unroutable => {
            Error::new(Code::UNROUTABLE, "unroutable: no queue is bound to this routing key")
                .with_retry_after(BUS_RETRY_AFTER)
        }
        BusErrorKind::InvalidMessage => {
            Error::new(Code::INVALID_REQUEST, "the request cannot be sent as a message")
        }
        BusErrorKind::ChannelLost if method.is_idempotent() => {
            overloaded("the connection to the message broker was lost; the request can be retried")
        }
        BusErrorKind::ChannelLost | BusErrorKind::ConfirmTimeout | BusErrorKind::ReplyTimeout => {
            no_reply_error(method)
        }
    };
    problem.with_log_message(error)
}
