//! `log.level`: a level, or a list of levels and `target=level`.

use crate::json::similar::similar;
use tracing_subscriber::filter::{LevelFilter, Targets};

/// The levels as they are written, and the names that other loggers have for them.
const LEVELS: &[(&str, LevelFilter)] = &[
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
    ("none", LevelFilter::OFF),
    ("fatal", LevelFilter::ERROR),
    ("critical", LevelFilter::ERROR),
    ("warning", LevelFilter::WARN),
];

/// Parses a list of directives. A single name is a level, never a target: as a target, a mistyped
/// level would silence everything else.
///
/// # Errors
///
/// Returns each directive that is invalid, with the level that was probably meant.
pub(super) fn parse(list: &str) -> Result<Targets, Vec<String>> {
    let (mut targets, mut problems) = (Targets::new(), Vec::new());
    if !list.contains("lapin") {
        // It logs each returned message with its content.
        targets = targets.with_target("lapin", LevelFilter::OFF);
    }
    for directive in list.split(',').map(str::trim) {
        let (target, name) = match directive.split_once('=') {
            Some((target, name)) => (Some(target.trim()), name.trim()),
            None => (None, directive),
        };
        match (target, level(name)) {
            (Some(""), _) => problems
                .push(format!("missing target in `{directive}`\nhelp: write `target=level`")),
            (Some(target), Some(level)) => targets = targets.with_target(target, level),
            (None, Some(level)) => targets = targets.with_default(level),
            (_, None) => problems.push(unknown(target, name)),
        }
    }
    if problems.is_empty() { Ok(targets) } else { Err(problems) }
}

/// Parses a level by its name in any case, or by its number (1 is `error`).
fn level(name: &str) -> Option<LevelFilter> {
    let named =
        LEVELS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, level)| *level);
    let is_number = name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_digit());
    named.or_else(|| name.parse().ok().filter(|_| is_number))
}

fn unknown(target: Option<&str>, name: &str) -> String {
    let levels = "error, warn, info, debug, trace, off";
    if name.is_empty() {
        return format!("missing level\nhelp: write one of {levels}");
    }
    if target.is_none() && name.contains("::") {
        return format!(
            "unknown level `{name}`\nhelp: add a level to a target, such as `{name}=debug`"
        );
    }
    let known = LEVELS.iter().map(|(known, _)| *known);
    let similar = similar(&name.to_lowercase(), known).map(|known| match target {
        Some(target) => format!("a similar level exists: `{target}={known}`"),
        None => format!("a similar level exists: `{known}`"),
    });
    let levels = format!("write one of {levels}, or a list such as `info,gateway::request=warn`");
    format!("unknown level `{name}`\nhelp: {}", similar.unwrap_or(levels))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn levels_are_read_as_people_write_them() {
        for (list, level) in [
            ("info", Level::INFO),
            ("WARNING", Level::WARN),
            ("warn", Level::WARN),
            ("Warn", Level::WARN),
            ("FATAL", Level::ERROR),
            ("Critical", Level::ERROR),
            ("tRaCe", Level::TRACE),
            ("info ", Level::INFO),
            (" Debug\n", Level::DEBUG),
            ("4", Level::DEBUG),
        ] {
            let targets = parse(list).unwrap();
            assert!(targets.would_enable("gateway", &level), "{list:?}");
            let finer = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
            for finer in finer.into_iter().filter(|finer| *finer > level) {
                assert!(!targets.would_enable("gateway", &finer), "{list:?} and {finer}");
            }
        }
        let list = parse("warn , gateway::request = Info, hyper=OFF").unwrap();
        assert!(
            list.would_enable("gateway::request", &Level::INFO)
                && !list.would_enable("gateway", &Level::INFO)
        );
        assert!(
            !list.would_enable("hyper", &Level::ERROR)
                && !list.would_enable("lapin", &Level::ERROR)
        );
        assert!(!parse("off").unwrap().would_enable("gateway", &Level::ERROR));
        assert!(parse("info,lapin=debug").unwrap().would_enable("lapin", &Level::DEBUG));
    }

    #[test]
    fn mistyped_levels_name_the_nearest() {
        for (list, told) in [
            ("inof", "unknown level `inof`\nhelp: a similar level exists: `info`"),
            ("INOF", "a similar level exists: `info`"),
            ("gateway=inof", "a similar level exists: `gateway=info`"),
            ("warn,gateway::request=debgu", "`gateway::request=debug`"),
            ("loud", "unknown level `loud`\nhelp: write one of error, warn, info"),
            ("gateway::request", "`gateway::request=debug`"),
            ("", "missing level"),
            ("info,", "missing level"),
            ("gateway=", "missing level"),
            ("=info", "missing target in `=info`"),
            ("42", "unknown level `42`"),
        ] {
            let problems = parse(list).unwrap_err().join("\n");
            assert!(problems.contains(told), "{list:?}: {problems}");
        }
        assert_eq!(parse("inof,gateway=wran").unwrap_err().len(), 2, "all at once");
    }
}
