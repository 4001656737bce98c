//! One service with one method, for comparisons with other frameworks:
//! `POST /services/mail/v1/send`, listening on `127.0.0.1:$PORT` with one worker.

use gateway_runtime::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A message.
#[model]
struct Message {
    /// The addresses.
    #[schemars(length(min = 1, max = 50), inner(length(min = 3, max = 254), regex(pattern = "@")))]
    to: Vec<String>,
    /// The subject, one line.
    #[schemars(length(min = 1, max = 200))]
    subject: String,
    /// The text.
    #[schemars(length(max = 65536))]
    body: String,
}

/// The acknowledgement of a message.
#[model]
struct Accepted {
    /// The number of addresses.
    accepted: usize,
    /// The id of the message.
    id: String,
}

/// A mail service that sends nothing.
#[service(name = "mail")]
struct Mail;

#[service]
impl Mail {
    /// Returns the number of addresses.
    #[expose_method(POST)]
    async fn send(&self, message: Message) -> Result<Accepted> {
        let id = format!("m-{}", message.subject.len() + message.body.len());
        Ok(Accepted { accepted: message.to.len(), id })
    }
}

fn main() -> Result<(), StartError> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "9000".to_owned());
    Gateway::from_toml(&format!(
        "http = {{ listen = '127.0.0.1:{port}', workers = 1 }}\nlog.level = 'warn'"
    ))?
    .run()
}
