//! Tests of `budget`.

use proptest::prelude::*;

use super::*;

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn small_bodies_cost_nothing_and_large_ones_are_charged_in_steps() {
    let budget = BodyBudget::new(10 * STEP_BYTES, 10 * STEP_BYTES);
    let mut charge = budget.charge(address("10.0.0.1"));
    charge.cover(FREE_BYTES).unwrap();
    assert_eq!(budget.used(), 0);
    charge.cover(FREE_BYTES + 1).unwrap();
    assert_eq!(budget.used(), STEP_BYTES);
    charge.cover(STEP_BYTES + 1).unwrap();
    assert_eq!(budget.used(), 2 * STEP_BYTES);
    let body = charge.attach(Bytes::from_static(b"body"));
    let part = body.slice(1..3);
    drop(body);
    assert_eq!(
        (budget.used(), &part[..]),
        (2 * STEP_BYTES, &b"od"[..]),
        "a part of the body keeps all of it"
    );
    drop(part);
    assert_eq!(budget.used(), 0);
}

#[test]
fn a_client_has_a_share_and_all_have_the_whole() {
    let budget = BodyBudget::new(3 * STEP_BYTES, 2 * STEP_BYTES);
    let mut first = budget.charge(address("2001:db8:0:1::1"));
    first.cover(2 * STEP_BYTES).unwrap();
    assert_eq!(
        budget.charge(address("2001:db8:0:1:ffff::2")).cover(STEP_BYTES),
        Err(Exhausted),
        "the same /64"
    );
    assert_eq!(budget.used(), 2 * STEP_BYTES, "what was refused is not charged");
    let mut other = budget.charge(address("2001:db8:0:2::1"));
    other.cover(STEP_BYTES).unwrap();
    assert_eq!(
        budget.charge(address("10.0.0.1")).cover(STEP_BYTES),
        Err(Exhausted),
        "nothing is left"
    );
    assert_eq!(budget.charge(None).cover(STEP_BYTES), Err(Exhausted));
    drop((first, other));
    assert!(budget.0.clients.iter().all(|clients| clients.lock().unwrap().is_empty()));
    budget.charge(address("::ffff:10.0.0.1")).cover(2 * STEP_BYTES).unwrap();
}

proptest! {
    #[test]
    fn charges_add_up_and_never_exceed_a_limit(
        steps in prop::collection::vec((0u8..4, 0usize..6 * STEP_BYTES), 0..40),
    ) {
        let budget = BodyBudget::new(8 * STEP_BYTES, 5 * STEP_BYTES);
        let client = |index: u8| Some(IpAddr::from([10, 0, 0, index / 2]));
        let mut charges: Vec<_> = (0..4).map(|index| budget.charge(client(index))).collect();
        for (index, length) in steps {
            let charge = &mut charges[usize::from(index)];
            if length < STEP_BYTES / 2 {
                *charge = budget.charge(client(index));
            } else {
                // A refusal is a valid outcome here.
                let _ = charge.cover(length);
            }
            let charged: usize = charges.iter().map(|charge| charge.bytes).sum();
            prop_assert_eq!(budget.used(), charged);
            prop_assert!(budget.used() <= 8 * STEP_BYTES);
            let mut by_client = charges.chunks(2).map(|pair| pair[0].bytes + pair[1].bytes);
            prop_assert!(by_client.all(|bytes| bytes <= 5 * STEP_BYTES));
        }
        drop(charges);
        prop_assert_eq!(budget.used(), 0);
    }
}
