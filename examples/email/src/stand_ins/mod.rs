//! Local stand-ins of the four services. They accept mail as the services do, deliver none, count
//! it, and fail on request.

mod apis;
mod behaviour;
mod pages;
mod smtp;
mod stand_in;

use std::{collections::BTreeMap, io, sync::Arc};

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use gateway_runtime::{StartError, http::Mount};
use serde_json::Value;

pub use behaviour::Behaviour;
pub use stand_in::{Received, StandIn};

/// One stand-in for each provider.
#[derive(Clone, Debug)]
pub struct StandIns(Arc<BTreeMap<&'static str, StandIn>>);

impl StandIns {
    /// Starts the stand-ins on free ports, on a thread of their own that lives as long as the
    /// program.
    ///
    /// # Errors
    ///
    /// Fails if no port is available.
    pub fn start() -> Result<Self, StartError> {
        Self::try_start()
            .map_err(|error| StartError::new(format!("the stand-ins cannot start: {error}")))
    }

    fn try_start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stand_ins = {
            let _entered = runtime.enter();
            let all = [
                ("smtp", StandIn::start(smtp::serve)?),
                ("sendgrid", StandIn::start(apis::sendgrid)?),
                ("postmark", StandIn::start(apis::postmark)?),
                ("mailgun", StandIn::start(apis::mailgun)?),
            ];
            Self(Arc::new(BTreeMap::from(all)))
        };
        std::thread::Builder::new()
            .name("stand-ins".to_owned())
            .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
        Ok(stand_ins)
    }

    /// Returns the stand-in of a provider.
    #[must_use]
    pub fn get(&self, provider: &str) -> Option<&StandIn> {
        self.0.get(provider)
    }

    /// Returns all stand-ins with the names of their providers.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &StandIn)> {
        self.0.iter().map(|(name, stand_in)| (*name, stand_in))
    }

    /// Returns settings that send all mail to the stand-ins, to the mail server first.
    #[must_use]
    pub fn settings(&self) -> String {
        let address = |name| {
            self.0
                .get(name)
                .map(|stand_in: &StandIn| stand_in.address().to_string())
                .unwrap_or_default()
        };
        let port = self.0.get("smtp").map_or(0, |smtp| smtp.address().port());
        let (sendgrid, postmark, mailgun) =
            (address("sendgrid"), address("postmark"), address("mailgun"));
        format!(
            r#"
            info = {{ title = "Email", version = "1.0.0" }}
            # A gateway that serves others has a secret of its own.
            secrets.EMAIL_WEBHOOK_SECRET = "only for stand-ins"

            [providers.smtp]
            order = 1
            host = "127.0.0.1"
            port = {port}
            security = "none"
            username = "stand-in"
            password = "stand-in"

            [providers.sendgrid]
            order = 2
            base_url = "http://{sendgrid}"
            api_key = "stand-in"

            [providers.postmark]
            order = 3
            base_url = "http://{postmark}"
            server_token = "stand-in"

            [providers.mailgun]
            order = 4
            base_url = "http://{mailgun}"
            domain = "mail.example.com"
            api_key = "stand-in"
            "#
        )
    }

    /// Returns pages that show the accepted mail and change the behaviours, for the gateway to
    /// serve under `/stand-ins`.
    ///
    /// # Errors
    ///
    /// Fails as [`Mount::new`] does; for this prefix it does not.
    pub fn mount(&self) -> Result<Mount, StartError> {
        Mount::new("/stand-ins", pages::of(self.clone()))
    }
}

/// Builds a JSON response without axum's `Json`, since that enables a feature of `serde_json` that
/// gives a member name a meaning in every program's JSON.
fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
