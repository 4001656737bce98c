//! The addresses of a name, in both families.

use std::{collections::HashMap, net::IpAddr};

use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::time::Instant;

use crate::resolver::{
    dns::{
        client::DnsClient,
        error::AskError,
        records::{Records, min_ttl},
    },
    steady::ANSWER_LIFETIME,
};

/// The replies for one name: its A and its AAAA records.
#[derive(Debug)]
pub(super) struct Replies {
    pub(super) name: Name,
    families: [(RecordType, Result<Records, AskError>); 2],
}

impl Replies {
    /// Asks for both families at once.
    pub(super) async fn of(client: &DnsClient, name: Name) -> Self {
        let (a, aaaa) = tokio::join!(
            client.records(&name, RecordType::A),
            client.records(&name, RecordType::AAAA),
        );
        Self { name, families: [(RecordType::A, a), (RecordType::AAAA, aaaa)] }
    }

    /// Returns whether the name has no addresses, as far as the servers know.
    pub(super) fn is_empty(&self) -> bool {
        self.families.iter().all(|(_, reply)| {
            reply.as_ref().is_ok_and(|records| addresses(records).next().is_none())
        })
    }
}

/// The addresses of a name: those of the reply, and the last known ones of a family that could not
/// be asked for.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    pub(super) addresses: Vec<IpAddr>,
    /// One of the addresses is of the reply.
    pub(super) is_fresh: bool,
    pub(super) ttl: Option<u32>,
    pub(super) error: Option<AskError>,
}

/// The addresses of the last replies, by name and family.
#[derive(Debug, Default)]
pub(super) struct LastKnown(HashMap<(Name, RecordType), (Vec<IpAddr>, Instant)>);

impl LastKnown {
    /// Merges the replies for a name with the last known addresses, and stores what is new.
    pub(super) fn merge(&mut self, replies: Replies) -> Addresses {
        let mut merged = Addresses::default();
        for (family, reply) in replies.families {
            let key = (replies.name.clone(), family);
            match reply {
                Ok(records) => {
                    let fresh: Vec<_> = addresses(&records).collect();
                    merged.is_fresh |= !fresh.is_empty();
                    merged.ttl = min_ttl(merged.ttl, records.ttl);
                    merged.addresses.extend(&fresh);
                    self.0.insert(key, (fresh, Instant::now()));
                }
                Err(error) => {
                    merged.error = Some(error);
                    merged
                        .addresses
                        .extend(self.0.get(&key).into_iter().flat_map(|(last, _)| last));
                }
            }
        }
        merged
    }

    /// Drops what is too old to be used.
    pub(super) fn forget_old(&mut self) {
        self.0.retain(|_, (_, time)| time.elapsed() < ANSWER_LIFETIME);
    }
}

/// Returns the addresses that an instance can have; `0.0.0.0` and groups are none.
fn addresses(records: &Records) -> impl Iterator<Item = IpAddr> {
    let address = |data: &RData| match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    };
    let is_instance = |address: &IpAddr| {
        let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
        !address.is_unspecified() && !address.is_multicast() && !is_broadcast
    };
    records.data.iter().filter_map(address).filter(is_instance)
}
