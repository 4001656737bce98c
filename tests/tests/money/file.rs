//! The configuration file, changed while the gateway runs.

use std::{ffi::OsString, path::Path, time::Duration};

use gateway_runtime::{RunningGateway, prelude::*};
use tokio::time::Instant;

use super::kiosk::Customer;
use crate::database::Database;

fn write(path: &Path, total: &str, more: &str) {
    let text = format!(
        "http.listen = '127.0.0.1:0'\nquota = {{ total = '{total}' }}\n\
         secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}\n\
         {more}\n"
    );
    // Atomically, as editors and deployments do it.
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, path).unwrap();
}

async fn eventually(what: impl AsyncFn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !what().await {
        assert!(Instant::now() < end, "not in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_enabled(gateway: &RunningGateway, name: &str) -> bool {
    let provider = gateway
        .registry()
        .providers()
        .iter()
        .find(|provider| provider.spec().name == name)
        .unwrap();
    provider.settings().enabled
}

#[tokio::test]
async fn limits_and_switches_of_the_file_hold_without_a_restart() {
    let folder = Database::sqlite();
    let path = folder.folder().join("gateway.toml");
    write(&path, "50/h", "");
    let arguments = [OsString::from("--config"), path.clone().into()];
    let gateway = Gateway::from_arguments_over("", arguments).unwrap().start().await.unwrap();
    let customer = Customer::of(&gateway.url());
    let policy = async || customer.get_as_a_stranger("look").await.policy.unwrap_or_default();
    assert!(policy().await.contains("q=50;"));
    assert!(is_enabled(&gateway, "smtp"));

    write(&path, "70/h", "providers.smtp.enabled = false");
    eventually(async || policy().await.contains("q=70;")).await;
    assert!(!is_enabled(&gateway, "smtp"));

    // An invalid file is not applied, not even its valid parts.
    write(&path, "80/h", "providers.smtp.enabled = 'perhaps'");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(policy().await.contains("q=70;"));
    write(&path, "90/h", "");
    eventually(async || policy().await.contains("q=90;")).await;
    assert!(is_enabled(&gateway, "smtp"));
}
