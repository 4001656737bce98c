//! What the client is told where the bus brought no answer.

use std::time::Duration;

use http::Method;

use crate::{
    base::error::{Code, Error},
    bus::{BusError, BusErrorKind},
    edge::dispatch::unanswered,
};

/// In which time the bus is likely to be back.
const BUS_RETRY_AFTER: Duration = Duration::from_secs(1);

/// The problem of a request with this HTTP method.
pub(super) fn of(error: &BusError, method: &Method) -> Error {
    let overloaded =
        |detail| Error::new(Code::OVERLOADED, detail).with_retry_after(BUS_RETRY_AFTER);
    let told = match error.kind() {
        BusErrorKind::Disconnected => {
            overloaded("the message bus cannot be reached now; nothing was sent")
        }
        BusErrorKind::Blocked => {
            overloaded("the message bus takes no messages now; nothing was sent")
        }
        BusErrorKind::Nacked => overloaded("the message bus did not take the message"),
        BusErrorKind::Unroutable => {
            Error::new(Code::UNROUTABLE, "nobody receives what is sent to this address")
                .with_retry_after(BUS_RETRY_AFTER)
        }
        BusErrorKind::InvalidMessage => {
            Error::new(Code::INVALID_REQUEST, "the request cannot be sent as a message")
        }
        BusErrorKind::ChannelLost if method.is_idempotent() => overloaded(
            "the message bus was lost before an answer came; the request may be sent again",
        ),
        BusErrorKind::ChannelLost | BusErrorKind::ConfirmTimeout | BusErrorKind::ReplyTimeout => {
            unanswered(method)
        }
    };
    told.with_log_message(error)
}
