//! The same ends by the gateway: a method that is called over the bus, a route to the bus, and the
//! broker alone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use gateway_benches::mail;
use gateway_runtime::{RunningGateway, bus::Message, prelude::*};
use serde_json::json;

use crate::{
    KEY, Outcome,
    ask::{Asked, is_over},
};

/// A mail service that sends nothing.
#[service(name = "mail")]
struct Mail;

#[service]
impl Mail {
    /// Returns the number of addresses.
    #[expose_method(POST)]
    async fn send(&self, message: mail::Message) -> Result<mail::Accepted> {
        Ok(mail::Accepted { accepted: message.to.len() })
    }
}

/// Returns the body that all ends receive: a call of the method.
pub(crate) fn question() -> Outcome<Vec<u8>> {
    let payload = mail::Message::valid();
    Ok(serde_json::to_vec(
        &json!({ "service": "mail", "version": 1, "method": "send", "payload": payload }),
    )?)
}

async fn gateway(url: &str, workers: usize, more: &str) -> Outcome<RunningGateway> {
    let http = format!("http = {{ listen = '127.0.0.1:0', workers = {workers} }}");
    let settings = format!("{http}\nlog.level = 'warn'\nbus.amqp = '{url}'\n{more}");
    Ok(Gateway::from_toml(&settings)?.start().await?)
}

/// Serves calls of the queue.
#[expect(clippy::print_stdout, reason = "it says that it is ready")]
pub(crate) async fn answer(url: &str, queue: &str, workers: usize) -> Outcome<()> {
    let _gateway = gateway(url, workers, &format!("bus.calls.queue = '{queue}'")).await?;
    println!("ready");
    std::future::pending().await
}

/// Forwards requests to the exchange.
#[expect(clippy::print_stdout, reason = "it says where it is")]
pub(crate) async fn relay(url: &str, exchange: &str) -> Outcome<()> {
    let gateway = gateway(
        url,
        1,
        &format!("bus.calls.enabled = false\nroutes.'{exchange}'.dispatch = 'bus'"),
    )
    .await?;
    println!("{}", gateway.address());
    std::future::pending().await
}

/// Calls with the broker alone.
pub(crate) async fn ask(url: &str, queue: &str, in_flight: usize) -> Outcome<()> {
    let gateway = gateway(url, 1, "bus.calls.enabled = false").await?;
    let (start, question) = (Instant::now(), bytes::Bytes::from(question()?));
    let mut tasks = Vec::new();
    for _ in 0..in_flight {
        let (broker, question, queue) =
            (Arc::clone(gateway.broker()), question.clone(), queue.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut asked = Asked::default();
            while !is_over(start) {
                let begun = Instant::now();
                let mut message = Message::new(queue.clone(), KEY);
                message.content_type = Some("application/json".into());
                message.body = question.clone();
                broker.call(message, soon()).await?;
                asked.count(begun, start);
            }
            Ok::<_, gateway_runtime::bus::BusError>(asked)
        }));
    }
    let mut all = Asked::default();
    for task in tasks {
        all.add(task.await??);
    }
    all.print(None)
}

fn soon() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_secs(30)
}

/// Prints the memory of a call that waits for its reply.
#[expect(clippy::print_stdout, reason = "this is what it is for")]
pub(crate) async fn pending(url: &str) -> Outcome<()> {
    const CALLS: usize = 50_000;
    let gateway = gateway(url, 1, "bus.calls.enabled = false").await?;
    let exchange = format!("bench-pending-{}", std::process::id());
    let subscription = gateway_runtime::bus::Subscription::Topic {
        exchange: exchange.clone().into(),
        pattern: "#".into(),
    };
    let mut received = gateway.broker().consume(subscription).await?;
    tokio::spawn(async move { while received.next().await.is_some() {} });
    let before = resident()?;
    let broker = gateway.broker();
    let mut calls = Vec::new();
    for _ in 0..CALLS {
        let message = Message { body: "a question".into(), ..Message::new(exchange.clone(), KEY) };
        calls.push(tokio::spawn(broker.call(message, soon())));
    }
    let end = soon();
    while broker.stats().pending < CALLS as u64 || broker.stats().received < CALLS as u64 {
        if tokio::time::Instant::now() > end {
            return Err(format!("{:?}", broker.stats()).into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let after = resident()?;
    println!(
        "{CALLS} calls wait: {} B each ({before} KiB → {after} KiB)",
        (after - before) * 1024 / CALLS as u64
    );
    Ok(())
}

/// Returns the resident memory of this process in KiB.
fn resident() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
