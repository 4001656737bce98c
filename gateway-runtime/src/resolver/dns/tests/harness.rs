//! A resolver that asks scripted servers, and its watchers.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{advance, pause, resume, sleep, timeout},
};

use super::server::DnsServer;
use crate::resolver::{DnsResolver, DnsSettings, Resolver, Snapshot};

/// The maximum time of a question in these tests.
pub(super) const TIMEOUT: Duration = Duration::from_millis(100);

/// The time within which each wait of a test must end.
const LIMIT: Duration = Duration::from_secs(20);

pub(super) fn resolver(servers: &[&DnsServer]) -> DnsResolver {
    let servers = servers.iter().map(|server| server.address.to_string()).collect();
    let settings = DnsSettings { servers, timeout: TIMEOUT };
    DnsResolver::new(&settings).unwrap()
}

/// A watcher of one service.
pub(super) struct Watcher(pub(super) watch::Receiver<Snapshot>);

impl Watcher {
    pub(super) fn new(server: &DnsServer, service: &str) -> Self {
        Self(resolver(&[server]).watch(service))
    }

    /// Waits for the next snapshot, and returns the addresses of its instances.
    pub(super) async fn next(&mut self) -> Vec<String> {
        timeout(LIMIT, self.0.changed()).await.expect("a snapshot in time").unwrap();
        self.addresses()
    }

    pub(super) fn addresses(&mut self) -> Vec<String> {
        let snapshot = self.0.borrow_and_update();
        let mut addresses: Vec<_> =
            snapshot.endpoints().iter().map(|e| e.address().to_owned()).collect();
        addresses.sort();
        addresses
    }

    pub(super) fn has_changed(&self) -> bool {
        self.0.has_changed().unwrap()
    }

    pub(super) fn age(&self) -> Option<Duration> {
        self.0.borrow().age()
    }

    /// Lets time pass in steps of one second, up to the number of seconds, until the condition
    /// holds. Returns the seconds that passed.
    pub(super) async fn pass_until(
        &self,
        seconds: u64,
        condition: impl Fn(&Snapshot) -> bool,
    ) -> u64 {
        for passed in 0..=seconds {
            if condition(&self.0.borrow()) {
                return passed;
            }
            pass(1).await;
        }
        panic!("nothing happened within {seconds} s");
    }
}

/// Lets time pass on the clock of tokio, and gives the sockets a moment of real time.
pub(super) async fn pass(seconds: u64) {
    pause();
    advance(Duration::from_secs(seconds)).await;
    resume();
    sleep(Duration::from_millis(5)).await;
}

/// Waits in real time until a condition holds.
pub(super) async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, wait).await.expect("the condition in time");
}
