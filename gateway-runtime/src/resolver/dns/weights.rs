//! The weights of SRV records as those of instances.

use hickory_resolver::proto::rr::rdata::SRV;

use crate::resolver::endpoint::MAX_WEIGHT;

/// Returns the weights of instances for those of SRV records, 0 to 65535. If a weight is beyond
/// the range of instances, those of its priority are scaled to the range. A weight of 0 beside
/// others is a very small share, and zeros alone are equal shares (RFC 2782).
pub(super) fn scaled_weights(records: &[&SRV]) -> Vec<u16> {
    let scaled = |record: &&SRV| {
        let same_priority = records.iter().filter(|other| other.priority == record.priority);
        let weights = same_priority.map(|other| other.weight);
        let max = weights.clone().max().unwrap_or_default();
        let is_in_range = max <= MAX_WEIGHT && !weights.clone().any(|weight| weight == 0);
        match max {
            0 => 1,
            _ if is_in_range => record.weight,
            max => {
                let share = u32::from(record.weight) * u32::from(MAX_WEIGHT) / u32::from(max);
                u16::try_from(share).unwrap_or(MAX_WEIGHT).max(1)
            }
        }
    };
    records.iter().map(scaled).collect()
}
