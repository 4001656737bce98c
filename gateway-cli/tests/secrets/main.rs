//! Secrets of every kind, planted in a gateway that fails in every way at the most talkative level of its log: what it says to
//! anybody is looked through for them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and says what it does not run"
)]

mod calls;
mod gateway;
mod planted;

use std::time::Duration;

use self::{
    gateway::{Folder, ends, listing},
    planted::{PASSPHRASE, found_in},
};

#[test]
fn a_gateway_that_serves_tells_nobody() {
    let folder = Folder::sealed();
    let gateway = folder.serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let heard = runtime.block_on(calls::all(&gateway));
    let log = gateway.stop();
    // That the log has it all: what was called, what failed, what panicked.
    for told in [
        "\"level\":\"DEBUG\"",
        "/services/vendor/v1/ask",
        "panicked",
        "no signature in webhook-signature fits",
        "\"code\":\"provider-failed\"",
    ] {
        assert!(
            log.contains(told),
            "the log does not tell of {told}: {}",
            log.lines()
                .filter(|line| line.contains("gateway::request"))
                .take(8)
                .collect::<Vec<_>>()
                .join("\n")
        );
    }
    assert!(heard.contains("openapi") && heard.contains("provider-failed") && heard.len() > 10_000);
    assert_eq!(found_in(&heard), Vec::<&str>::new(), "clients were told");
    assert_eq!(found_in(&log), Vec::<&str>::new(), "the log was told");
}

#[test]
fn what_is_registered_is_listed_without() {
    let folder = Folder::sealed();
    let printed = listing(&folder);
    assert!(printed.contains("vendor") && printed.contains("Gateway {"), "{printed}");
    assert_eq!(found_in(&printed), Vec::<&str>::new());
}

#[test]
fn a_gateway_that_cannot_start_says_why_without() {
    let folder = Folder::sealed();
    for (settings, why) in [
        (
            "[store]\nurl = 'postgres://gateway:planted-database-password@127.0.0.1:1/gateway'",
            "cannot be reached",
        ),
        ("[store]\nurl = 'planted-database-password'", "write `postgres://"),
        ("[redis]\nurl = 'redis://:planted-redis-password@127.0.0.1:1'", "cannot be reached"),
        ("[redis]\nurl = 'planted-redis-password'", "is not like `redis://"),
        ("[auth]\ninternal_key = 'planted-key'", "internal_key"),
        ("[admin]\ntoken = 'planted token'", "[admin]"),
        ("[secrets]\nVENDOR_WEBHOOK_SECRET = 'whsec_planted!'", "is not base64"),
        ("[secrets]\nVENDOR_WEBHOOK_SECRET = 12345678901", "expected string"),
        ("[secrets\nVENDOR_WEBHOOK_SECRET = planted", "line 1"),
        ("[providers.vendor]\nkey = { planted = 'planted' }", "providers.vendor"),
        (
            "[credentials]\nprofile = 'live'\npassphrase = 'planted, but another'",
            "another key or passphrase",
        ),
    ] {
        let printed = ends(&folder, settings);
        assert!(printed.contains(why), "{settings}: {printed}");
        assert!(
            !printed.contains("planted") && !printed.contains("12345678901"),
            "{settings}: {printed}"
        );
    }
    assert!(!PASSPHRASE.is_empty());
}

/// How long a gateway may take to start, which includes a second of computing for the passphrase.
const PATIENCE: Duration = Duration::from_secs(60);
