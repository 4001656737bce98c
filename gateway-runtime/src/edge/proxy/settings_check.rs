//! The checks of `[upstreams.NAME]` that a JSON Schema cannot express.

use std::time::Duration;

use crate::edge::proxy::settings::UpstreamSettings;

/// Returns the problems of times and of addresses that are listed twice.
pub(super) fn problems(name: &str, settings: &UpstreamSettings) -> Vec<String> {
    let section = format!("[upstreams.\"{name}\"]");
    let times = [
        ("connect_timeout", settings.connect_timeout),
        ("first_byte_timeout", settings.first_byte_timeout),
        ("idle_timeout", settings.idle_timeout),
    ];
    let zero = times.into_iter().filter(|(_, time)| *time == Duration::ZERO).map(|(key, _)| {
        format!(
            "{section}: `{key}` is zero: every request would fail\nhelp: use a time such as \"2s\""
        )
    });
    let urls: Vec<_> = settings.urls.iter().map(|url| url.trim_end_matches('/')).collect();
    let is_repeated = |at: usize| urls[..at].iter().any(|url| url.eq_ignore_ascii_case(urls[at]));
    let repeated = (0..urls.len()).filter(|at| is_repeated(*at)).map(|at| {
        format!(
            "{section}: `urls` lists `{}` twice\nhelp: list each instance once",
            settings.urls[at]
        )
    });
    zero.chain(repeated).collect()
}
