//! Keys of earlier versions. A key has no alias, so its old name is an error that says the new one.

use serde_json::{Map, Value};

/// Old names by their section, and the new name in the same section.
const RENAMED: &[(&[&str], &str, &str)] = &[
    (&[], "record", "request_log"),
    (&["bus"], "log", "request_log"),
    (&["bus", "calls"], "deliveries", "delivery_limit"),
    (&["bus", "calls"], "retry", "retry_delays"),
    (&["failover", "breaker"], "permit", "permit_timeout"),
    (&["http_client"], "max_answer", "max_response_bytes"),
    (&["idempotency"], "kept", "retention"),
    (&["auth", "jwt"], "jwks_pause", "jwks_min_refresh"),
];

/// Removes the keys of earlier versions, and returns a problem for each.
pub(super) fn take_renamed(settings: &mut Value) -> Vec<String> {
    let take = |(section, old, new): &(&[&str], &str, &str)| {
        let section_of = |settings| {
            section.iter().try_fold(settings, |value: &mut Value, key| value.get_mut(key))
        };
        let keys: &mut Map<String, Value> = section_of(settings)?.as_object_mut()?;
        keys.remove(*old)?;
        let path = |last: &str| section.iter().copied().chain([last]).collect::<Vec<_>>().join(".");
        Some(format!(
            "`{}` in the configuration: the key was renamed\nhelp: write `{}`",
            path(old),
            path(new)
        ))
    };
    RENAMED.iter().filter_map(take).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn old_names_are_errors_that_say_the_new_ones() {
        let mut settings = json!({
            "record": {"enabled": false},
            "bus": {"log": true, "exchange": "x", "calls": {"retry": [], "deliveries": 2}},
            "failover": {"breaker": {"permit": "1s"}},
            "http_client": {"max_answer": 1},
            "idempotency": {"kept": "1d"},
            "auth": {"jwt": {"jwks_pause": "1s"}},
        });
        let problems = take_renamed(&mut settings);
        assert_eq!(problems.len(), RENAMED.len());
        let first = "`record` in the configuration: the key was renamed\nhelp: \
                     write `request_log`";
        assert_eq!(problems[0], first);
        assert!(problems.iter().any(|it| it.ends_with("write `bus.calls.retry_delays`")));
        let rest = json!({
            "bus": {"exchange": "x", "calls": {}},
            "failover": {"breaker": {}},
            "http_client": {},
            "idempotency": {},
            "auth": {"jwt": {}},
        });
        assert_eq!(settings, rest, "other keys stay");
        assert_eq!(take_renamed(&mut settings), [""; 0]);
    }

    #[test]
    fn new_names_are_keys_of_the_settings() {
        let known = crate::gateway::config::keys::known();
        for (section, _, new) in RENAMED {
            let key = section.iter().copied().chain([*new]).collect::<Vec<_>>().join(".");
            let is_known = |known: &String| *known == key || known.starts_with(&format!("{key}."));
            assert!(known.iter().any(is_known), "{key}");
        }
    }
}
