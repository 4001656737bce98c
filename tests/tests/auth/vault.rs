//! A service with methods of each kind of authentication, and a client without any abstraction.

use std::net::SocketAddr;

use gateway_runtime::{
    Call, Caller, Error, Gateway, Result, RunningGateway, StartError, auth::ApiKeys, expose_method,
    model, service,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The settings that each gateway of these tests needs.
pub(super) const BASE: &str = "http = { listen = '127.0.0.1:0', workers = 1 }\nsecrets = { \
    EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }\n";

#[model]
pub(super) struct Slip {
    #[schemars(range(max = 9))]
    number: u8,
}

/// Methods of each kind.
#[service(name = "vault")]
pub(super) struct Vault;

#[service]
impl Vault {
    /// Returns the caller.
    #[expose_method(GET, auth = required)]
    async fn open(&self, caller: Caller) -> Result<String> {
        Ok(describe(&caller))
    }

    /// Returns the caller, if there is one.
    #[expose_method(GET, auth = optional)]
    async fn look(&self, caller: Caller) -> Result<String> {
        Ok(describe(&caller))
    }

    /// Returns the same, without an `auth` argument.
    #[expose_method(GET)]
    async fn silent(&self, caller: Caller) -> Result<String> {
        Ok(describe(&caller))
    }

    /// Ignores the caller.
    #[expose_method(GET, auth = none)]
    async fn walk(&self, caller: Caller) -> Result<String> {
        Ok(describe(&caller))
    }

    /// Requires one scope.
    #[expose_method(GET, scopes("vault:read"))]
    async fn read(&self, caller: Caller) -> Result<String> {
        Ok(describe(&caller))
    }

    /// Requires both scopes.
    #[expose_method(GET, scopes("vault:read", "vault:write"))]
    async fn write(&self, caller: Caller) -> Result<String> {
        Ok(describe(&caller))
    }

    /// Has an input, which anonymous callers must not learn about.
    #[expose_method(POST, auth = required)]
    async fn put(&self, slip: Slip) -> Result<u8> {
        Ok(slip.number)
    }

    /// Fails, with all that it knows of the call in its error.
    #[expose_method(GET, auth = required)]
    async fn fail(&self, call: Call) -> Result<()> {
        Err(Error::internal(format!("{call:?} {:?}", call.caller())))
    }
}

fn describe(caller: &Caller) -> String {
    let name = |name: Option<&str>| name.unwrap_or("-").to_owned();
    format!("{}/{} {}", name(caller.account()), name(caller.user()), caller.scopes().join(","))
}

/// Starts a gateway with these settings of `[auth]`.
pub(super) async fn gateway(settings: &str) -> RunningGateway {
    start(settings).await.unwrap()
}

pub(super) async fn start(settings: &str) -> Result<RunningGateway, StartError> {
    Gateway::from_toml(&format!("{BASE}{settings}"))?.start().await
}

pub(super) async fn gateway_with(settings: &str, keys: impl ApiKeys) -> RunningGateway {
    Gateway::from_toml(&format!("{BASE}{settings}"))
        .unwrap()
        .with_api_keys(keys)
        .start()
        .await
        .unwrap()
}

/// A response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(super) fn all(&self) -> String {
        format!("{}{}", self.head, self.body)
    }
}

/// Sends the lines of a head, and a body, unchanged.
pub(super) async fn ask(address: SocketAddr, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = head.replace('\n', "\r\n");
    let length = body.len();
    let text = format!(
        "{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A reset after the response is an end as well.
    drop(stream.read_to_string(&mut answer).await);
    let (head, body) =
        answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// Sends a GET of a method of the vault, with more header lines.
pub(super) async fn get(gateway: &RunningGateway, method: &str, lines: &str) -> Answer {
    let lines = if lines.is_empty() { String::new() } else { format!("\n{lines}") };
    ask(gateway.address(), &format!("GET /services/vault/v1/{method} HTTP/1.1{lines}"), "").await
}

pub(super) async fn with_token(gateway: &RunningGateway, method: &str, token: &str) -> Answer {
    get(gateway, method, &format!("Authorization: Bearer {token}")).await
}
