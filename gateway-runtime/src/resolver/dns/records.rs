//! The records of a reply that belong to a question.

use hickory_resolver::proto::{
    op::{DnsResponse, Query},
    rr::{Name, RData},
};

use crate::resolver::dns::error::AskError;

/// The records of a name and type.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) data: Vec<RData>,
    /// The shortest TTL in seconds, also of the CNAME records before; none if none is known.
    pub(super) ttl: Option<u32>,
}

/// Follows the CNAME records of a reply from the name of the question. Returns the last name, and
/// its records, of which there may be none.
///
/// # Errors
///
/// Fails if the reply has records, and none of them belongs to the question.
pub(super) fn follow(response: &DnsResponse, query: &Query) -> Result<(Name, Records), AskError> {
    let mut owner = query.name().clone();
    let mut ttl = None;
    for _ in 0..=response.answers.len() {
        let own = response.answers.iter().filter(|record| record.name == owner);
        let found = own.clone().filter(|record| record.record_type() == query.query_type());
        let data: Vec<_> = found.clone().map(|record| record.data.clone()).collect();
        if !data.is_empty() {
            let ttl = found.map(|record| record.ttl).chain(ttl).min();
            return Ok((owner, Records { data, ttl }));
        }
        let alias = own.clone().find_map(|record| match &record.data {
            RData::CNAME(target) => Some((target.0.clone(), record.ttl)),
            _ => None,
        });
        let Some((target, alias_ttl)) = alias else {
            if owner == *query.name() {
                return Err(AskError::Unrelated);
            }
            return Ok((owner, Records { data, ttl }));
        };
        ttl = min_ttl(ttl, Some(alias_ttl));
        owner = target;
    }
    Err(AskError::Chain)
}

/// Returns the shorter TTL of those that are known.
pub(super) fn min_ttl(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    one.into_iter().chain(other).min()
}
