//! Small local stand-ins of the two HTTP APIs, which can be made to fail.

use std::{
    collections::HashMap,
    fmt::Write,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{get, post},
};
use gateway_runtime::StartError;
use serde_json::{Map, Value, json};

/// The running stand-ins.
pub struct StandIns {
    fixer: SocketAddr,
    currencylayer: SocketAddr,
}

impl StandIns {
    /// Returns the configuration `defaults` with the APIs replaced by the stand-ins.
    pub fn over(&self, defaults: &str) -> String {
        let point = |text: String, order: u8, address: SocketAddr| {
            let ours = format!(
                "enabled = true\nbase_url = \"http://{address}\"\norder = {order}\naccess_key \
                 = \"stand-in\""
            );
            let from = text.find("enabled = false").unwrap_or(text.len());
            let to = text[from..]
                .find("access_key = \"\"")
                .map_or(from, |at| from + at + "access_key = \"\"".len());
            format!("{}{ours}{}", &text[..from], &text[to..])
        };
        point(point(defaults.to_owned(), 1, self.fixer), 2, self.currencylayer)
    }
}

/// Starts both on free ports, on a thread of their own, and prints how to make them fail.
pub fn start() -> Result<StandIns, StartError> {
    let unable = |error| StartError::new(format!("the stand-ins cannot start: {error}"));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unable)?;
    let fixer = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).map_err(unable)?;
    let currencylayer =
        runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).map_err(unable)?;
    let started = StandIns {
        fixer: fixer.local_addr().map_err(unable)?,
        currencylayer: currencylayer.local_addr().map_err(unable)?,
    };
    tell(&started);
    std::thread::spawn(move || {
        runtime.block_on(async {
            let serve = |listener, routes| axum::serve(listener, routes).into_future();
            tokio::join!(serve(fixer, fixer_io()), serve(currencylayer, currencylayer_com()))
        })
    });
    Ok(started)
}

#[expect(clippy::print_stderr, reason = "told to whoever started it by hand")]
fn tell(started: &StandIns) {
    let mut text = String::new();
    for (name, address) in [("fixer.io", started.fixer), ("currencylayer", started.currencylayer)] {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "stand-in of {name}: make it fail with  curl -X POST {address}/fail/500"
        );
    }
    eprint!("{text}  (also /fail/401, /fail/429, /fail/hang, and /fail/no to mend it)");
    eprintln!();
}

/// The failure that a stand-in simulates, as in the path of `/fail/{how}`.
type Failing = Arc<Mutex<String>>;

fn with_switch(routes: Router<Failing>) -> Router {
    routes
        .route(
            "/fail/{how}",
            post(|State(failing): State<Failing>, Path(how): Path<String>| async move {
                *failing.lock().unwrap_or_else(PoisonError::into_inner) = how;
            }),
        )
        .with_state(Failing::default())
}

/// Returns the simulated failure, if one is set.
async fn failure(failing: &Failing) -> Option<Answer> {
    let how = failing.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if how == "hang" {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let status = StatusCode::from_bytes(how.as_bytes()).ok()?;
    Some((status, json!({"message": "told to fail"}).to_string()))
}

type Answer = (StatusCode, String);

/// Units of each currency for one dollar; invented, except for the dollar itself.
const RATES: &[(&str, f64)] =
    &[("USD", 1.0), ("EUR", 0.895), ("GBP", 0.746), ("JPY", 157.25), ("CHF", 0.823)];

/// Returns the requested rates in units for one `base`, under the names that `name` makes.
fn rates(base: &str, wanted: &str, name: impl Fn(&str) -> String) -> Map<String, Value> {
    let of = |code: &str| RATES.iter().find(|(name, _)| *name == code).map(|(_, rate)| *rate);
    let Some(one) = of(base) else { return Map::new() };
    let codes = wanted.split(',').filter_map(|code| Some((name(code), json!(of(code)? / one))));
    codes.collect()
}

fn text<'q>(query: &'q HashMap<String, String>, name: &str) -> &'q str {
    query.get(name).map_or("", String::as_str)
}

fn fixer_io() -> Router {
    let answer = |State(failing): State<Failing>,
                  Path(day): Path<String>,
                  Query(query): Query<HashMap<String, String>>| async move {
        if let Some(failure) = failure(&failing).await {
            return failure;
        }
        let base = text(&query, "base");
        let date = if day == "latest" { chrono::Utc::now().date_naive().to_string() } else { day };
        let rates = rates(base, text(&query, "symbols"), str::to_owned);
        let answer: Answer = if rates.is_empty() {
            (
                StatusCode::OK,
                json!({"success": false, "error": {"code": 202, "type": "invalid_currency_codes"}})
                    .to_string(),
            )
        } else {
            (
                StatusCode::OK,
                json!({"success": true, "base": base, "date": date, "rates": rates}).to_string(),
            )
        };
        answer
    };
    with_switch(Router::new().route("/{day}", get(answer)))
}

fn currencylayer_com() -> Router {
    type Text = Query<HashMap<String, String>>;
    let answer = |State(failing): State<Failing>, Query(query): Text| async move {
        if let Some(failure) = failure(&failing).await {
            return failure;
        }
        let source = text(&query, "source");
        let quotes = rates(source, text(&query, "currencies"), |code| format!("{source}{code}"));
        let answer: Answer = if quotes.is_empty() {
            (
                StatusCode::OK,
                json!({"success": false, "error": {"code": 202, "info": "invalid currency codes"}})
                    .to_string(),
            )
        } else {
            let mut answer = json!({
                "success": true,
                "timestamp": chrono::Utc::now().timestamp(),
                "source": source,
                "quotes": quotes,
            });
            if let Some(date) = query.get("date") {
                answer["historical"] = json!(true);
                answer["date"] = json!(date);
            }
            (StatusCode::OK, answer.to_string())
        };
        answer
    };
    with_switch(Router::new().route("/live", get(answer)).route("/historical", get(answer)))
}
