//! The mapping of the bus (SEMANTICS §11): no request smuggles anything into a message, no reply
//! into a response, and no call panics.
#![no_main]

use arbitrary::Arbitrary;
use bytes::Bytes;
use gateway_runtime::{
    Caller,
    bus::{Field, Fields, Message, Narrow},
    bus_consumer, bus_dispatch,
};
use http::{HeaderName, Request, StatusCode, request::Parts};
use http_body::Body;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    method: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    fields: Vec<(Known<'a>, &'a [u8])>,
    headers: Vec<(Known<'a>, Value<'a>)>,
    message_id: Option<&'a str>,
    content_type: Option<&'a str>,
    body: &'a [u8],
}

/// Header names with a meaning of their own, and arbitrary ones.
#[derive(Arbitrary, Debug)]
enum Known<'a> {
    Connection,
    Host,
    Authorization,
    ApiKey,
    SetCookie,
    ContentType,
    ContentLength,
    RequestId,
    Account,
    Method,
    Status,
    IdempotencyKey,
    Other(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Value<'a> {
    Text(&'a [u8]),
    Bytes(&'a [u8]),
    Number(i64),
    Status(u16),
    Small(i8),
    Flag(bool),
    Double(f64),
    Timestamp(u64),
    List(Vec<Value<'a>>),
    Table(Vec<(Known<'a>, Value<'a>)>),
    Void,
}

impl Known<'_> {
    fn name(&self) -> String {
        match self {
            Self::Connection => "Connection",
            Self::Host => "host",
            Self::Authorization => "Authorization",
            Self::ApiKey => "x-api-key",
            Self::SetCookie => "set-cookie",
            Self::ContentType => "content-type",
            Self::ContentLength => "content-length",
            Self::RequestId => "X-Request-Id",
            Self::Account => "x-gateway-account",
            Self::Method => "X-WASP-METHOD",
            Self::Status => Message::STATUS,
            Self::IdempotencyKey => "idempotency-key",
            Self::Other(name) => name,
        }
        .to_owned()
    }
}

impl Value<'_> {
    fn field(&self) -> Field {
        match self {
            Self::Text(text) => Field::Text(Bytes::copy_from_slice(text)),
            Self::Bytes(bytes) => Field::Bytes(Bytes::copy_from_slice(bytes)),
            Self::Number(number) => Field::Number(*number),
            Self::Status(status) => Field::Narrow(Narrow::U16(200 + status % 120)),
            Self::Small(number) => Field::Narrow(Narrow::I8(*number)),
            Self::Flag(flag) => Field::Flag(*flag),
            Self::Double(number) => Field::Double(*number),
            Self::Timestamp(seconds) => Field::Timestamp(*seconds),
            Self::List(values) => Field::List(values.iter().map(Value::field).collect()),
            Self::Table(fields) => Field::Table(table(fields)),
            Self::Void => Field::Void,
        }
    }
}

fn table(fields: &[(Known<'_>, Value<'_>)]) -> Fields {
    fields.iter().map(|(name, value)| (name.name(), value.field())).collect()
}

/// The hop-by-hop and framing fields (RFC 9110 §7.6.1, RFC 9112 §6).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn head(input: &Input<'_>) -> Option<Parts> {
    let query = input.query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut request =
        Request::builder().method(input.method).uri(format!("/foo/{}{query}", input.path));
    for (name, value) in &input.fields {
        request = request.header(name.name(), *value);
    }
    Some(request.body(()).ok()?.into_parts().0)
}

/// Checks the message of a request.
fn request(head: &Parts) {
    let Ok(message) = bus_dispatch::mapping::request(head, &Caller::new("acme", None, Vec::new()))
    else {
        return;
    };
    assert_eq!(message.exchange, "exchange");
    let rest = head.uri.path().strip_prefix("/foo/").expect("as it was made");
    assert!(
        message.key.len() <= 255 && !message.key.contains(['*', '#', '\0', '\r', '\n']),
        "{message:?}"
    );
    assert_eq!(
        message.key.split('.').count(),
        rest.split('/').count(),
        "a segment is a word: {message:?}"
    );
    for name in [&message.content_type, &message.content_encoding, &message.message_id]
        .into_iter()
        .flatten()
    {
        assert!(name.len() <= 255);
    }
    assert_eq!(message.headers.text("X-WASP-METHOD"), Some(head.method.as_str()));
    assert_eq!(message.headers.text("X-WASP-QS"), Some(head.uri.query().unwrap_or_default()));
    assert_eq!(message.headers.text("x-gateway-account"), Some("acme"));
    for (name, field) in message.headers.iter() {
        let lower = name.to_ascii_lowercase();
        assert!(
            !HOP_BY_HOP.contains(&&*lower) && !["authorization", "x-api-key"].contains(&&*lower),
            "{name}"
        );
        assert_eq!(
            message.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count(),
            1,
            "{name}"
        );
        let text = field.as_bytes().expect("all are texts");
        assert!(!text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{name}");
    }
}

/// Checks the response of a reply.
fn response(reply: Message) {
    let connection =
        reply.headers.get("Connection").and_then(Field::as_bytes).cloned().unwrap_or_default();
    let Ok(response) = bus_dispatch::mapping::response(reply) else { return };
    assert!((200..=599).contains(&response.status().as_u16()));
    let is_empty = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED];
    assert!(!is_empty.contains(&response.status()) || response.body().is_end_stream());
    let named: Vec<_> = connection
        .split(|byte| *byte == b',')
        .map(|name| name.trim_ascii().to_ascii_lowercase())
        .collect();
    for (name, value) in response.headers() {
        let is_ours =
            ["x-wasp-", "x-gateway-"].iter().any(|prefix| name.as_str().starts_with(prefix));
        assert!(
            !HOP_BY_HOP.contains(&name.as_str()) && !is_ours && name != "x-request-id",
            "{name}"
        );
        let is_property = *name == http::header::CONTENT_TYPE;
        assert!(is_property || !named.contains(&name.as_str().as_bytes().to_vec()), "{name}");
        assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{name}");
    }
}

/// Checks a call.
fn call(message: &Message) {
    let Ok((_, headers)) = bus_consumer::mapping::call(message) else { return };
    for (name, value) in &headers {
        assert!(HeaderName::from_bytes(name.as_str().as_bytes()).is_ok());
        assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{name}");
    }
}

fuzz_target!(|input: Input<'_>| {
    if let Some(head) = head(&input) {
        request(&head);
    }
    let name = |text: &str| text.to_owned().into();
    let mut message = Message {
        headers: table(&input.headers),
        message_id: input.message_id.map(name),
        content_type: input.content_type.map(name),
        body: Bytes::copy_from_slice(input.body),
        ..Message::default()
    };
    call(&message);
    message.body =
        Bytes::from_static(br#"{"service": "a", "version": 1, "method": "b", "payload": null}"#);
    call(&message);
    response(message);
});
