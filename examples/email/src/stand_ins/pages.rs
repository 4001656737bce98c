//! The stand-ins' own pages: the count of accepted mail, and switches for the behaviours.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde_json::{Map, Value, json};

use super::{Behaviour, StandIns, json_response};

/// Returns the routes `GET /` and `POST /{stand-in}/{behaviour}`.
pub(super) fn of(stand_ins: StandIns) -> Router {
    Router::new()
        .route("/", get(all))
        .route("/{name}/{behaviour}", post(behave))
        .with_state(stand_ins)
}

async fn all(State(stand_ins): State<StandIns>) -> Response {
    let state = stand_ins.iter().map(|(name, stand_in)| {
        let state =
            json!({ "behaviour": stand_in.behaviour().to_string(), "taken": stand_in.count() });
        (name.to_owned(), state)
    });
    json_response(StatusCode::OK, &Value::Object(Map::from_iter(state)))
}

async fn behave(
    State(stand_ins): State<StandIns>,
    Path((name, behaviour)): Path<(String, String)>,
) -> Result<Response, (StatusCode, String)> {
    let behaviour: Behaviour =
        behaviour.parse().map_err(|why| (StatusCode::BAD_REQUEST, why + "\n"))?;
    let known = || stand_ins.iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
    let stand_in = stand_ins.get(&name);
    let stand_in = stand_in.ok_or_else(|| {
        (StatusCode::NOT_FOUND, format!("no `{name}` here; there are {}\n", known()))
    })?;
    stand_in.behave(behaviour).await;
    Ok(all(State(stand_ins)).await)
}
