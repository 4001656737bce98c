use super::*;

const TIME: u64 = 1_614_265_330;

fn use_up(seen: &ReplayGuard, time: u64, signature: Signature, now: u64) -> Result<(), Error> {
    seen.take(time, signature, now).map(|mut taken| taken.set_used(true))
}

#[test]
fn signature_is_accepted_once_and_dropped_after_its_window() {
    let seen = ReplayGuard::default();
    use_up(&seen, TIME, [1; 32], TIME).unwrap();
    let again = use_up(&seen, TIME, [1; 32], TIME + 300).unwrap_err();
    assert!(again.log_message().unwrap().contains("used before"), "{again:?}");
    // A second attempt of the sender has its own timestamp.
    use_up(&seen, TIME + 1, [2; 32], TIME + 5).unwrap();
    use_up(&seen, TIME + 301, [3; 32], TIME + 302).unwrap();
    assert_eq!(seen.0.lock().unwrap().len(), 1, "what can no longer be used is forgotten");
}

#[test]
fn signature_is_released_if_its_call_was_not_executed() {
    let seen = ReplayGuard::default();
    for _ in 0..2 {
        let mut taken = seen.take(TIME, [1; 32], TIME).unwrap();
        assert_eq!(seen.take(TIME, [1; 32], TIME).unwrap_err().code(), Code::IDEMPOTENCY_CONFLICT);
        drop(seen.take(TIME, [2; 32], TIME).unwrap());
        taken.set_used(true);
        taken.set_used(false);
    }
    assert!(seen.0.lock().unwrap()[&TIME].is_empty());
    use_up(&seen, TIME, [1; 32], TIME).unwrap();
    assert_eq!(use_up(&seen, TIME, [1; 32], TIME).unwrap_err().code(), Code::UNAUTHENTICATED);
    // The window of the signature ends while its call runs.
    let old = seen.take(TIME, [3; 32], TIME).unwrap();
    use_up(&seen, TIME + 301, [4; 32], TIME + 301).unwrap();
    drop(old);
}

#[test]
fn number_of_signatures_is_bounded() {
    let seen = ReplayGuard::default();
    let signatures = (0..ReplayGuard::MAX_SIGNATURES as u64).map(|number| {
        let mut signature = [0; 32];
        signature[..8].copy_from_slice(&number.to_le_bytes());
        (signature, State::Used)
    });
    seen.0.lock().unwrap().insert(TIME, signatures.collect());
    let full = seen.take(TIME, [9; 32], TIME).unwrap_err();
    assert_eq!(full.code(), Code::OVERLOADED);
    seen.take(TIME + 301, [9; 32], TIME + 301).unwrap();
}
