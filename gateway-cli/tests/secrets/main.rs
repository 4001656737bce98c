//! Tests for leaks of secrets. Secrets of every kind are planted in a gateway that fails in every
//! way, at the most verbose level of its log; everything that it outputs is searched for them.

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
fn gateway_leaks_no_secret_while_it_serves() {
    let folder = Folder::sealed();
    let gateway = folder.serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let heard = runtime.block_on(calls::all(&gateway));
    let log = gateway.stop();
    // The log is complete: calls, failures and panics.
    for told in [
        "\"level\":\"DEBUG\"",
        "/services/vendor/v1/ask",
        "panicked",
        "no signature in webhook-signature matches",
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
fn list_and_debug_leak_no_secret() {
    let folder = Folder::sealed();
    let printed = listing(&folder);
    assert!(printed.contains("vendor") && printed.contains("Gateway {"), "{printed}");
    assert_eq!(found_in(&printed), Vec::<&str>::new());
}

#[test]
fn start_errors_leak_no_secret() {
    let folder = Folder::sealed();
    for (settings, why) in [
        (
            "[store]\nurl = 'postgres://gateway:planted-database-password@127.0.0.1:1/gateway'",
            "cannot be reached",
        ),
        ("[store]\nurl = 'planted-database-password'", "write `postgres://"),
        ("[redis]\nurl = 'redis://:planted-redis-password@127.0.0.1:1'", "cannot connect"),
        ("[redis]\nurl = 'planted-redis-password'", "write `redis://"),
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

/// The time limit for the start of a gateway, which includes a second for the key derivation from
/// the passphrase.
const START_TIMEOUT: Duration = Duration::from_secs(60);
