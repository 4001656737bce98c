//! Stand-ins of the three HTTP APIs: their paths, and their success and error responses.

use std::{collections::BTreeMap, future::pending, panic};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header::CONNECTION},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Behaviour, Received, StandIn, json_response};

/// The differences between the APIs.
#[derive(Clone, Copy)]
struct Api {
    path: &'static str,
    yes: fn(String) -> Response,
    no: fn(String) -> Value,
}

pub(super) async fn sendgrid(listener: TcpListener, stand_in: StandIn) {
    let api = Api {
        path: "/v3/mail/send",
        yes: |id| (StatusCode::ACCEPTED, [("x-message-id", id)]).into_response(),
        no: |why| json!({ "errors": [{ "message": why, "field": null, "help": null }] }),
    };
    serve(listener, stand_in, api).await;
}

pub(super) async fn postmark(listener: TcpListener, stand_in: StandIn) {
    let api = Api {
        path: "/email",
        yes: |id| {
            json_response(
                StatusCode::OK,
                &json!({ "MessageID": id, "ErrorCode": 0, "Message": "OK" }),
            )
        },
        no: |why| json!({ "ErrorCode": 300, "Message": why }),
    };
    serve(listener, stand_in, api).await;
}

pub(super) async fn mailgun(listener: TcpListener, stand_in: StandIn) {
    let api = Api {
        path: "/v3/mail.example.com/messages",
        yes: |id| {
            let id = format!("<{id}@mail.example.com>");
            json_response(StatusCode::OK, &json!({ "id": id, "message": "Queued. Thank you." }))
        },
        no: |why| json!({ "message": why }),
    };
    serve(listener, stand_in, api).await;
}

async fn serve(listener: TcpListener, stand_in: StandIn, api: Api) {
    let routes = Router::new().route(api.path, post(answer)).with_state((stand_in, api));
    // Serving ends only when no connection can be accepted any more.
    let _ = axum::serve(listener, routes).await;
}

async fn answer(State((stand_in, api)): State<(StandIn, Api)>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let credentials = credentials(request.headers());
    let Ok(body) = axum::body::to_bytes(request.into_body(), 8 << 20).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let behaviour = stand_in.behaviour();
    if !matches!(behaviour, Behaviour::Status(400..=499) | Behaviour::Saying(400..=499, _)) {
        stand_in.take(Received {
            to: path,
            credentials,
            body: String::from_utf8_lossy(&body).into_owned(),
        });
    }
    let mut response = match behaviour {
        Behaviour::Well | Behaviour::Refuse => (api.yes)(format!("{:032x}", fastrand::u128(..))),
        Behaviour::Status(status) => {
            json_response(code(status), &(api.no)(format!("told to answer {status}")))
        }
        Behaviour::Saying(status, body) => (code(status), body).into_response(),
        Behaviour::Hang => pending().await,
        // The panic ends the task of this connection, and with it the connection.
        Behaviour::Cut => panic::resume_unwind(Box::new(())),
    };
    // The next request opens a new connection, and so notices `refuse`.
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Returns the header fields with which the three APIs authenticate a sender.
fn credentials(headers: &HeaderMap) -> BTreeMap<String, String> {
    let named = ["authorization", "x-postmark-server-token", "accept", "content-type"].into_iter();
    named
        .filter_map(|name| Some((name.to_owned(), headers.get(name)?.to_str().ok()?.to_owned())))
        .collect()
}
