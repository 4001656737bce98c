//! Tests of `duration`.

use proptest::prelude::*;

use super::*;

#[test]
fn ticks_are_shared_and_never_early() {
    let period = Duration::from_millis(100);
    // The first call sets the origin of all ticks.
    let now = tick_from(Instant::now(), period) + Duration::from_micros(17);
    let first = tick_from(now, period);
    assert!(first >= now && first - now < period);
    for micros in [0, 1, 250, 99_999, 100_000, 1_234_567] {
        let time = now + Duration::from_micros(micros);
        let tick = tick_from(time, period);
        assert!(tick >= time && tick - time < period, "{micros}");
        assert_eq!((tick - first).as_nanos() % period.as_nanos(), 0, "{micros}");
    }
}

#[test]
fn ticks_before_the_first_call_are_those_after_it() {
    let period = Duration::from_millis(100);
    let before = Instant::now();
    let after = tick_from(before, period) + period * 3;
    for micros in [0, 1, 17, 250] {
        let time = before - Duration::from_micros(micros);
        let tick = tick_from(time, period);
        assert!(tick >= time && tick - time < period, "{micros}");
        assert_eq!((after - tick).as_nanos() % period.as_nanos(), 0, "{micros}");
    }
}

#[test]
fn each_unit_is_parsed() {
    for (text, millis) in [
        ("250ms", 250),
        ("10s", 10_000),
        ("5min", 300_000),
        ("5m", 300_000),
        ("2h", 7_200_000),
        ("7d", 604_800_000),
    ] {
        assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
    }
}

#[test]
fn invalid_durations_are_rejected_with_a_reason() {
    for text in ["", "10", "s", " 10s", "10 s", "1.5s", "-1s", "10S", "10sec", "1h30m"] {
        assert_eq!(parse(text), Err(ParseDurationError::Form), "{text:?}");
    }
    for text in ["99999999999999999999s", "18446744073709551615d"] {
        assert_eq!(parse(text), Err(ParseDurationError::Range), "{text:?}");
    }
}

#[test]
fn largest_unit_that_divides_is_written() {
    for (millis, text) in
        [(0, "0s"), (1, "1ms"), (1_500, "1500ms"), (90_000, "90s"), (60_000, "1min")]
    {
        assert_eq!(format(Duration::from_millis(millis)), text);
    }
}

#[test]
fn times_are_microseconds_since_1970() {
    let at = UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
    assert_eq!(unix_micros(at), 1_700_000_000_123_456);
    assert_eq!(unix_micros(UNIX_EPOCH - Duration::from_secs(1)), 0);
    assert_eq!(unix_micros(UNIX_EPOCH + Duration::from_secs(u64::MAX >> 1)), i64::MAX);
}

proptest! {
    #[test]
    fn formatted_duration_parses_to_the_same_value(millis: u64) {
        let duration = Duration::from_millis(millis);
        prop_assert_eq!(parse(&format(duration)), Ok(duration));
    }

    #[test]
    fn parse_never_panics(text in "\\PC*") {
        let _ = parse(&text);
    }
}
