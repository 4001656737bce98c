//! Stand-ins of the four services on this machine: they take mail as those do, deliver none, count what they took, and
//! fail as they are told to.

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

/// One of each.
#[derive(Clone, Debug)]
pub struct StandIns(Arc<BTreeMap<&'static str, StandIn>>);

impl StandIns {
    /// Starts them on free ports, on a thread of their own that lives as long as the program.
    ///
    /// # Errors
    ///
    /// When no port can be had.
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

    /// The stand-in of a provider.
    #[must_use]
    pub fn get(&self, provider: &str) -> Option<&StandIn> {
        self.0.get(provider)
    }

    /// All of them, by the names of their providers.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &StandIn)> {
        self.0.iter().map(|(name, stand_in)| (*name, stand_in))
    }

    /// Settings that send all mail to them, to the mail server first.
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

    /// Pages that say what they have taken and change how they behave, for the gateway to serve under `/stand-ins`.
    ///
    /// # Errors
    ///
    /// None; as mounting says it.
    pub fn mount(&self) -> Result<Mount, StartError> {
        Mount::new("/stand-ins", pages::of(self.clone()))
    }
}

/// Not by axum's `Json`: the feature of `serde_json` that comes with it gives a name in everybody's JSON a meaning.
fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
