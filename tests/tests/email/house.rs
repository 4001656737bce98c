//! A gateway that sends to stand-ins of its own.

use email::{
    Email, EmailClient,
    message::{Accepted, Address, SendRequest},
    stand_ins::{Behaviour, Received, StandIn, StandIns},
};
use gateway_runtime::{
    Gateway, RunningGateway,
    client::{ClientError, Http},
};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use toml::Table;

pub(super) const PROVIDERS: [&str; 4] = ["smtp", "sendgrid", "postmark", "mailgun"];

pub(super) struct House {
    pub(super) gateway: RunningGateway,
    pub(super) stand_ins: StandIns,
    pub(super) client: EmailClient,
}

impl House {
    /// Starts a gateway with all four providers, in their order.
    pub(super) async fn new() -> Self {
        Self::with("").await
    }

    /// Starts a gateway with one provider.
    pub(super) async fn only(provider: &str) -> Self {
        let off = PROVIDERS.iter().filter(|other| **other != provider);
        Self::with(
            &off.map(|other| format!("providers.{other}.enabled = false\n")).collect::<String>(),
        )
        .await
    }

    /// Starts a gateway with more settings. Attempts time out soon, and no breaker opens and no
    /// provider is set aside, so that each call is like the first.
    pub(super) async fn with(settings: &str) -> Self {
        let stand_ins = StandIns::start().unwrap();
        let mut all: Table = stand_ins.settings().parse().unwrap();
        for more in [LENIENT, settings] {
            merge(&mut all, more.parse().unwrap());
        }
        let gateway =
            Gateway::from_toml(&all.to_string()).unwrap().mount(stand_ins.mount().unwrap());
        let gateway = gateway.start().await.unwrap();
        let client = Email::client(Http::to(gateway.url()));
        Self { gateway, stand_ins, client }
    }

    pub(super) fn stand_in(&self, provider: &str) -> &StandIn {
        self.stand_ins.get(provider).unwrap()
    }

    pub(super) async fn behave(&self, behaviours: &[(&str, Behaviour)]) {
        for (provider, behaviour) in behaviours {
            self.stand_in(provider).behave(*behaviour).await;
        }
    }

    /// Returns how many messages each provider has accepted, in the order of `PROVIDERS`.
    pub(super) fn taken(&self) -> [usize; 4] {
        PROVIDERS.map(|provider| self.stand_in(provider).count())
    }

    pub(super) fn only_received(&self, provider: &str) -> Received {
        let mut received = self.stand_in(provider).received();
        assert_eq!(received.len(), 1);
        received.remove(0)
    }

    /// Posts a message that the typed client would not send; returns the status, and the body of a
    /// failure.
    pub(super) async fn post(
        &self,
        path: &str,
        headers: &[(&str, String)],
        body: &Value,
    ) -> (u16, Value) {
        self.post_text(path, headers, body.to_string()).await
    }

    /// Posts a body as it is written.
    pub(super) async fn post_text(
        &self,
        path: &str,
        headers: &[(&str, String)],
        body: String,
    ) -> (u16, Value) {
        let address = self.gateway.address();
        let request = http::Request::post(path).header("host", address.to_string());
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let request = request
            .header("content-type", "application/json")
            .body(Full::<bytes::Bytes>::from(body))
            .unwrap();
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let response = sender.send_request(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub(super) async fn send(&self) -> Result<Accepted, ClientError> {
        self.client.send(&message()).await
    }
}

const LENIENT: &str = "
    http = { listen = '127.0.0.1:0', workers = 1 }
    secrets.EDGE_WEBHOOK_SECRET = 'not used'
    quota.enabled = false
    failover.attempt_timeout = '2s'
    failover.breaker = { failures_in_a_row = 1000000, min_calls = 1000000, set_aside = '0s', \
    cool_down = '0s' }
";

fn merge(settings: &mut Table, more: Table) {
    for (key, value) in more {
        match (settings.get_mut(&key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => merge(under, over),
            (_, value) => drop(settings.insert(key, value)),
        }
    }
}

fn address(address: &str) -> Address {
    Address(address.to_owned())
}

pub(super) fn message() -> SendRequest {
    SendRequest {
        to: vec![address("ada@example.org"), address("bob+tag@example.com")],
        cc: vec![address("carol@example.net")],
        subject: "Grüße & more".to_owned(),
        text: "Hello,\n.\n..dots & ümlauts\n".to_owned(),
        html: Some("<p>Hello & ümlauts</p>".to_owned()),
    }
}
