//! The stored answer of an idempotency key: its form in the store, and the replay created from it
//! (SEMANTICS §5).

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use crate::{
    base::{
        error::{Code, Error},
        reply::Reply,
    },
    json::violation::Violation,
};

/// The maximum length of a stored body, in bytes.
const MAX_STORED_BYTES: usize = 256 * 1024;

/// The stored answer, in its serialised form.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredReply {
    Empty,
    Json(String),
    Raw {
        media: String,
        base64: String,
    },
    /// A reply that was sent once, and was too long to be stored.
    TooLong,
    StoredFailure(StoredFailure),
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredFailure {
    code: String,
    status: u16,
    title: String,
    detail: String,
    retryable: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation>,
}

/// Serialises an outcome; `None` for streams, which cannot be stored.
pub(in crate::pipeline) fn serialize(outcome: &Result<Reply, Error>) -> Option<String> {
    let kept = match outcome {
        Ok(Reply::Empty) => StoredReply::Empty,
        Ok(Reply::Json(body) | Reply::Raw(_, body)) if body.len() > MAX_STORED_BYTES => {
            StoredReply::TooLong
        }
        Ok(Reply::Json(body)) => StoredReply::Json(String::from_utf8(body.to_vec()).ok()?),
        Ok(Reply::Raw(media, body)) => {
            StoredReply::Raw { media: (*media).to_owned(), base64: BASE64_STANDARD.encode(body) }
        }
        Ok(Reply::Items(_) | Reply::RawStream(..)) => return None,
        Err(error) => StoredReply::StoredFailure(StoredFailure {
            code: error.code().name().to_owned(),
            status: error.code().status(),
            title: error.code().title().to_owned(),
            detail: error.detail().to_owned(),
            retryable: error.is_retryable(),
            violations: error.violations().to_vec(),
        }),
    };
    serde_json::to_string(&kept).ok()
}

/// Deserialises a stored answer.
pub(in crate::pipeline) fn deserialize(text: &str) -> Result<Reply, Error> {
    match serde_json::from_str(text)? {
        StoredReply::Empty => Ok(Reply::Empty),
        StoredReply::Json(body) => Ok(Reply::Json(body.into())),
        StoredReply::Raw { media, base64 } => {
            Ok(Reply::Raw(intern(media), BASE64_STANDARD.decode(base64)?.into()))
        }
        StoredReply::TooLong => Err(Error::new(
            Code::IDEMPOTENCY_CONFLICT,
            "the call with this idempotency key was executed, and its reply was too long to be \
             stored",
        )
        .with_retryable(false)),
        StoredReply::StoredFailure(failure) => Err(failure.deserialize()),
    }
}

impl StoredFailure {
    fn deserialize(self) -> Error {
        let own = Code::ALL.into_iter().find(|code| code.name() == self.code);
        // An author's own code. Its status was valid when it was stored.
        let code = own.unwrap_or_else(|| {
            Code::new(intern(self.code), self.status.clamp(400, 599), intern(self.title))
        });
        Error::new(code, self.detail)
            .with_retryable(self.retryable)
            .with_violations(self.violations)
    }
}

/// Returns the text as a constant, as codes and media types are. Those of authors cannot be found
/// by their text, so each text is leaked once; there are as many as authors have written.
fn intern(text: String) -> &'static str {
    static TEXTS: LazyLock<Mutex<HashMap<String, &'static str>>> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(&text) {
        return known;
    }
    let lasting: &'static str = Box::leak(text.clone().into_boxed_str());
    texts.insert(text, lasting);
    lasting
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(outcome: Result<Reply, Error>) -> Result<Reply, Error> {
        deserialize(&serialize(&outcome).unwrap())
    }

    #[test]
    fn replies_are_restored_unchanged() {
        assert!(matches!(again(Ok(Reply::Empty)), Ok(Reply::Empty)));
        let json = Reply::Json(r#"{"a":"\"\u0000"}"#.into());
        assert!(matches!(again(Ok(json)), Ok(Reply::Json(body)) if body == r#"{"a":"\"\u0000"}"#));
        let raw = Reply::Raw("image/png", vec![0, 159, 255].into());
        assert!(
            matches!(again(Ok(raw)), Ok(Reply::Raw("image/png", body)) if body[..] == [0, 159, 255])
        );
    }

    #[test]
    fn errors_are_restored_without_their_log_message() {
        const SOLD_OUT: Code = Code::new("sold-out", 409, "Sold out");
        let violation = Violation { pointer: "/a".to_owned(), detail: "wrong".to_owned() };
        for code in [SOLD_OUT, Code::OUTCOME_UNKNOWN] {
            let error = Error::new(code, "none left")
                .with_log_message("secret")
                .with_violations(vec![violation.clone()]);
            let text = serialize(&Err(error)).unwrap();
            assert!(!text.contains("secret"));
            let error = deserialize(&text).unwrap_err();
            assert_eq!(error.code().name(), code.name());
            assert_eq!(
                (error.code().status(), error.code().title()),
                (code.status(), code.title())
            );
            assert_eq!((error.detail(), error.is_retryable()), ("none left", code.is_retryable()));
            assert_eq!(error.violations(), std::slice::from_ref(&violation));
        }
    }

    #[test]
    fn reply_that_is_too_long_replays_as_a_conflict() {
        let long = Reply::Raw("text/plain", vec![b'x'; MAX_STORED_BYTES + 1].into());
        assert_eq!(again(Ok(long)).unwrap_err().code(), Code::IDEMPOTENCY_CONFLICT);
        assert!(serialize(&Ok(Reply::Items(Box::pin(futures_util::stream::empty())))).is_none());
    }
}
