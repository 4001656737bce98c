//! Replies to calls over the bus: the reply or the problem as body, the status, and headers.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use crate::{
    base::{
        call::RequestId,
        error::{Code, Error},
        problem::{ProblemDetails, add_headers},
        reply::Reply,
    },
    bus::{Message, MessageHeader, MessageHeaders, ShortStr},
};

/// The maximum size of a reply, in bytes: a message carries it whole.
const MAX_REPLY_BYTES: usize = 16 << 20;
/// The `instance` member of problems.
pub(super) const INSTANCE: &str = "/bus";

/// Joins a reply that arrives in pieces, before the call's deadline.
pub(super) async fn whole(
    outcome: Result<Reply, Error>,
    deadline: Instant,
) -> Result<Reply, Error> {
    let late = |_| {
        Err(Error::new(
            Code::OUTCOME_UNKNOWN,
            "the method was executed, and its reply did not end in time",
        ))
    };
    timeout_at(deadline, join_without_timeout(outcome)).await.unwrap_or_else(late)
}

async fn join_without_timeout(outcome: Result<Reply, Error>) -> Result<Reply, Error> {
    let (media, mut pieces) = match outcome? {
        Reply::RawStream(media, pieces) => (media, pieces),
        Reply::Items(_) => {
            return Err(Error::internal(
                "the method replied with a stream, which it had not declared",
            ));
        }
        whole => return Ok(whole),
    };
    let mut all = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        all.extend_from_slice(&piece?);
        if all.len() > MAX_REPLY_BYTES {
            return Err(Error::new(
                Code::NOT_ACCEPTABLE,
                "the reply is longer than the limit of a message: 16 MiB",
            ));
        }
    }
    Ok(Reply::Raw(media, all.freeze()))
}

/// Creates the reply to `request`, for the queue `to`.
pub(super) fn message(
    outcome: &Result<Reply, Error>,
    headers: Option<HeaderMap>,
    request: &Message,
    to: ShortStr,
    id: &RequestId,
) -> Message {
    let (status, media, body): (u16, Option<&'static str>, Bytes) = match outcome {
        Ok(Reply::Json(json)) => (200, Some("application/json"), json.clone()),
        Ok(Reply::Raw(media, bytes)) => (200, Some(media), bytes.clone()),
        Ok(_) => (204, None, Bytes::new()),
        Err(error) => {
            let problem = ProblemDetails::new(error, INSTANCE, id).to_json();
            (error.code().status(), Some("application/problem+json"), problem)
        }
    };
    let mut fields = MessageHeaders::default();
    fields.add(Message::STATUS, i64::from(status));
    fields.add("x-request-id", id.as_str().to_owned());
    let mut headers = headers.unwrap_or_default();
    if let Err(error) = outcome {
        add_headers(&mut headers, error);
    }
    for (name, value) in &headers {
        fields.set(
            name.as_str().to_owned(),
            MessageHeader::Text(Bytes::copy_from_slice(value.as_bytes())),
        );
    }
    Message {
        mandatory: true,
        content_type: media.map(Into::into),
        correlation_id: request.correlation_id.clone(),
        headers: fields,
        body,
        ..Message::to_queue(to)
    }
}
