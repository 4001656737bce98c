//! The instances of a service, from its records.

use std::net::{IpAddr, SocketAddr};

use futures_util::{StreamExt, stream};
use hickory_resolver::proto::rr::{Name, RData, RecordType, rdata::SRV};

use crate::resolver::{
    Endpoint,
    dns::{
        addresses::{Addresses, LastKnown, Replies},
        client::DnsClient,
        error::AskError,
        records::{Records, min_ttl},
        service::DnsService,
        weights::scaled_weights,
    },
};

/// The maximum number of targets of SRV records that are asked for at the same time.
const CONCURRENT_TARGETS: usize = 8;

/// The instances of a service, and when to ask again.
#[derive(Debug)]
pub(super) struct Instances {
    pub(super) endpoints: Vec<Endpoint>,
    /// The shortest TTL in seconds; none if none is known.
    pub(super) ttl: Option<u32>,
    /// The failure to ask for some of the records.
    pub(super) partial_error: Option<AskError>,
}

/// A service that is looked up again and again.
pub(super) struct Lookup {
    service: DnsService,
    last_known: LastKnown,
}

impl Lookup {
    /// Creates the look-up of a service.
    pub(super) fn new(service: DnsService) -> Self {
        Self { service, last_known: LastKnown::default() }
    }

    /// Asks for the instances.
    ///
    /// # Errors
    ///
    /// Fails if nothing is known of the instances. A failure to ask for some of the records is an
    /// error only if the others have no instances.
    pub(super) async fn instances(&mut self, client: &DnsClient) -> Result<Instances, AskError> {
        self.last_known.forget_old();
        let name = Name::from_ascii(&self.service.name)
            .map_err(|error| AskError::Network(error.into()))?;
        let names = client.candidates(&name, self.service.is_absolute);
        let targets = match self.service.port {
            Some(port) => self.by_addresses(client, names, port).await,
            None => self.by_srv(client, names).await?,
        };
        self.merge(targets)
    }

    /// Asks for the addresses of the first name that has any.
    async fn by_addresses(&self, client: &DnsClient, names: Vec<Name>, port: u16) -> Targets {
        let mut targets = Targets::default();
        for name in names {
            let replies = Replies::of(client, name).await;
            let is_last = !replies.is_empty();
            // The name of the instances is the one in the configuration, whichever was found.
            let host = self.service.name.clone();
            targets.targets.push(Target { host, port, priority: 0, weight: 1, replies });
            if is_last {
                break;
            }
        }
        targets
    }

    /// Asks for the SRV records of the first name that has any, and for their targets' addresses.
    async fn by_srv(&self, client: &DnsClient, names: Vec<Name>) -> Result<Targets, AskError> {
        let mut ttl = None;
        for name in names {
            let records = client.records(&name, RecordType::SRV).await?;
            ttl = min_ttl(ttl, records.ttl);
            if !records.data.is_empty() {
                return Ok(Targets { targets: targets(client, &records).await, ttl });
            }
        }
        Ok(Targets { targets: Vec::new(), ttl })
    }

    fn merge(&mut self, Targets { targets, mut ttl }: Targets) -> Result<Instances, AskError> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        let mut is_fresh = false;
        let mut partial_error = None;
        for Target { host, port, priority, weight, replies } in targets {
            let merged: Addresses = self.last_known.merge(replies);
            ttl = min_ttl(ttl, merged.ttl);
            is_fresh |= merged.is_fresh;
            partial_error = merged.error.or(partial_error);
            let Ok(named) = Endpoint::parse(&self.service.url(&host, port)) else { continue };
            let named = named.with_priority(priority).with_weight(weight);
            let at = |ip: IpAddr| named.clone().with_address(SocketAddr::new(ip, port));
            endpoints.extend(merged.addresses.into_iter().map(at));
        }
        match partial_error {
            Some(error) if !is_fresh => Err(error),
            partial_error => Ok(Instances { endpoints, ttl, partial_error }),
        }
    }
}

/// The targets of a service, and the TTL of the records that name them.
#[derive(Default)]
struct Targets {
    targets: Vec<Target>,
    ttl: Option<u32>,
}

/// A host that the service runs on, with the replies for its addresses.
struct Target {
    /// The name that the instance is called by.
    host: String,
    port: u16,
    priority: u16,
    weight: u16,
    replies: Replies,
}

/// Asks for the addresses of the targets. The target `.` says that there is no service (RFC 2782).
async fn targets(client: &DnsClient, records: &Records) -> Vec<Target> {
    let mut srv: Vec<&SRV> = records.data.iter().filter_map(as_srv).collect();
    srv.retain(|srv| !srv.target.is_root() && srv.port > 0);
    // Of two records for one target and port, the first is the one of the lower priority.
    srv.sort_by_key(|srv| (&srv.target, srv.port, srv.priority, std::cmp::Reverse(srv.weight)));
    srv.dedup_by_key(|srv| (&srv.target, srv.port));
    let weights = scaled_weights(&srv);
    let weighted: Vec<(SRV, u16)> = srv.into_iter().cloned().zip(weights).collect();
    stream::iter(weighted)
        .map(|(srv, weight)| async move {
            let host = srv.target.to_ascii().trim_end_matches('.').to_owned();
            let replies = Replies::of(client, srv.target).await;
            Target { host, port: srv.port, priority: srv.priority, weight, replies }
        })
        .buffered(CONCURRENT_TARGETS)
        .collect()
        .await
}

fn as_srv(data: &RData) -> Option<&SRV> {
    match data {
        RData::SRV(srv) => Some(srv),
        _ => None,
    }
}
