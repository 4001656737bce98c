//! Content negotiation by `Accept` (RFC 9110 §12.5.1).

use http::{HeaderMap, header};

/// Returns the index in `offers` (lower case, in order of our preference) of the media type that
/// the client prefers; none when it accepts none of them. Without an `Accept` every type is
/// acceptable.
pub(super) fn negotiate(request: &HeaderMap, offers: &[&str]) -> Option<usize> {
    let ranges = || request.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    if ranges().all(|line| line.trim().is_empty()) {
        return Some(0);
    }
    let mut best = None;
    for (index, offer) in offers.iter().enumerate() {
        let weight = weight(ranges().flat_map(|line| line.split(',')), offer);
        // Only a strictly greater weight wins, so that equal ones keep our order.
        if weight > best.map_or(0, |(_, weight)| weight) {
            best = Some((index, weight));
        }
    }
    best.map(|(index, _)| index)
}

/// Returns the weight that the most specific range gives `offer`, in thousandths; 0 when none
/// matches.
fn weight<'a>(ranges: impl Iterator<Item = &'a str>, offer: &str) -> u16 {
    let group = offer.split_once('/').map_or(offer, |(group, _)| group);
    let mut found = (0, 0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let specificity = match name.split_once('/') {
            Some(_) if name.eq_ignore_ascii_case(offer) => 3,
            Some((kind, "*")) if kind.eq_ignore_ascii_case(group) => 2,
            Some(("*", "*")) => 1,
            _ => continue,
        };
        let quality =
            parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('='));
        let quality = quality.map_or(1000, |value| thousandths(value.trim()));
        if specificity > found.0 {
            found = (specificity, quality);
        }
    }
    found.1
}

/// Parses a weight in thousandths: `0.5` is 500; an invalid weight is 0.
pub(super) fn thousandths(value: &str) -> u16 {
    let weight: f32 = value.parse().unwrap_or(0.0);
    // The product is from 0 to 1000, and the cast makes NaN 0.
    (weight.clamp(0.0, 1.0) * 1000.0) as u16
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const OFFERS: [&str; 2] = ["text/event-stream", "application/x-ndjson"];

    fn choice(lines: &[&'static str]) -> Option<usize> {
        let headers = lines.iter().map(|line| (header::ACCEPT, HeaderValue::from_static(line)));
        negotiate(&headers.collect(), &OFFERS)
    }

    #[test]
    fn first_offer_is_chosen_without_a_preference() {
        for any in [
            &[][..],
            &[""],
            &["*/*"],
            &["text/html, */*;q=0.8"],
            &["text/*"],
            &["text/event-stream"],
        ] {
            assert_eq!(choice(any), Some(0), "{any:?}");
        }
    }

    #[test]
    fn preference_of_the_client_wins_over_the_order_of_offers() {
        for second in [
            &["application/x-ndjson"][..],
            &["APPLICATION/X-NDJSON; charset=utf-8"],
            &["application/*"],
            &["*/*;q=0.1, application/x-ndjson"],
            &["text/event-stream;q=0.5", "application/x-ndjson;q=0.6"],
            &["text/event-stream; q=0, */*"],
            &["*/*, text/*;q=0.001, text/event-stream;q=0"],
        ] {
            assert_eq!(choice(second), Some(1), "{second:?}");
        }
    }

    #[test]
    fn nothing_is_chosen_when_no_offer_is_accepted() {
        for none in [
            "application/json",
            "text/html",
            "*/*;q=0",
            "text/event-stream;q=0",
            "*",
            "q=1",
            "*/*;q=NaN",
            "*/*;q=-1",
        ] {
            assert_eq!(choice(&[none]), None, "{none}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_accept_field_is_parsed_without_a_panic(
            lines in proptest::collection::vec("[ -~]{0,40}", 0..4),
        ) {
            let values = lines.iter().map(|line| HeaderValue::from_str(line).unwrap());
            let headers = values.map(|value| (header::ACCEPT, value)).collect();
            let chosen = negotiate(&headers, &OFFERS);
            proptest::prop_assert!(chosen.is_none_or(|index| index < OFFERS.len()));
        }

        #[test]
        fn offer_with_the_greater_weight_is_chosen(first in 1..=1000_u16, second in 1..=1000_u16) {
            let (first_weight, second_weight) =
                (f32::from(first) / 1000.0, f32::from(second) / 1000.0);
            let accept =
                format!("{};q={first_weight}, {};q={second_weight}", OFFERS[0], OFFERS[1]);
            let accept = HeaderValue::from_str(&accept).unwrap();
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept)]);
            let expected = usize::from(second > first);
            proptest::prop_assert_eq!(negotiate(&headers, &OFFERS), Some(expected));
        }
    }
}
