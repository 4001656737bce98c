//! RabbitMQ made unavailable under load, in each possible way: every call ends in time and reports
//! the reason, no acknowledged message is lost, and service resumes by itself.

mod faults;
mod load;
mod settled;

use std::{sync::Arc, time::Duration};

use gateway_runtime::{
    Secret,
    bus::{AmqpBroker, Broker, BusSettings, CallQueue},
};

use crate::rabbitmq::Server;

/// The time limit within which service resumes after the broker's return.
const BACK: Duration = Duration::from_secs(5);

async fn broker(server: &Server) -> Arc<dyn Broker> {
    let settings =
        BusSettings { confirm_timeout: Duration::from_secs(1), ..BusSettings::default() };
    Arc::new(AmqpBroker::open(&Secret::new(server.url()), &settings).await.unwrap())
}

fn queue(name: &'static str) -> CallQueue {
    CallQueue { name: name.into(), prefetch: 100, delivery_limit: 20, delays: vec![] }
}

/// Runs a blocking function beside the load.
async fn aside<T: Send + 'static>(
    server: &Arc<Server>,
    act: impl FnOnce(&Server) -> T + Send + 'static,
) -> T {
    let server = Arc::clone(server);
    tokio::task::spawn_blocking(move || act(&server)).await.unwrap()
}
