//! The texts that name services, the settings, and the tasks of watched services.

use super::{
    harness::{Watcher, resolver, until},
    server::DnsServer,
};
use crate::resolver::{DnsResolver, DnsSettings, Resolver, dns::service::DnsService};

#[test]
fn text_names_a_service() {
    let service = |text: &str| {
        let service = DnsService::parse(text).unwrap();
        (service.is_secure, service.name, service.is_absolute, service.port)
    };
    assert_eq!(service("reports:9000"), (false, "reports".into(), false, Some(9000)));
    assert_eq!(service("reports.test.:9000"), (false, "reports.test".into(), true, Some(9000)));
    assert_eq!(service("reports"), (false, "reports".into(), false, Some(80)));
    assert_eq!(service("https://reports"), (true, "reports".into(), false, Some(443)));
    assert_eq!(service("http://my_app:1"), (false, "my_app".into(), false, Some(1)));
    assert_eq!(service("_http._tcp.a.test"), (false, "_http._tcp.a.test".into(), false, None));
    assert_eq!(service("https://_x._tcp.a."), (true, "_x._tcp.a".into(), true, None));
}

#[test]
fn text_that_names_no_service_is_refused() {
    let long_label = "a".repeat(64);
    let long_name = ["a"; 128].join(".");
    for text in [
        "",
        ".",
        ":80",
        "reports:",
        "reports:0",
        "reports:65536",
        "reports:+80",
        "reports:80:80",
        "reports:80/path",
        "reports/path",
        "a..b",
        "a b",
        "ftp://reports",
        "10.0.0.1:80",
        "10.0.0.1",
        "[::1]:80",
        "::1",
        "bücher.test:80",
        "user@reports:80",
        "_http.reports",
        "_http._tcp",
        "_http._tcp.reports:80",
        &long_label,
        &long_name,
    ] {
        assert!(DnsService::parse(text).is_err(), "`{text}`");
    }
}

#[tokio::test]
async fn invalid_text_has_no_instances() {
    let server = DnsServer::start().await;
    let snapshots = resolver(&[&server]).watch("10.0.0.1:80");
    assert!(snapshots.borrow().is_known());
    assert!(snapshots.borrow().endpoints().is_empty());
    assert!(server.questions().is_empty());
}

#[tokio::test]
async fn settings_name_every_problem() {
    let servers = ["127.0.0.1", "[::1]:5353", "::1", "localhost:53", "127.0.0.1:x"];
    let servers = servers.map(str::to_owned).to_vec();
    let settings = DnsSettings { servers, timeout: std::time::Duration::ZERO };
    let error = DnsResolver::new(&settings).err().unwrap();
    let problems = error.problems().join("\n");
    assert_eq!(error.problems().len(), 3, "{problems}");
    assert!(problems.contains("`localhost:53`") && problems.contains("`127.0.0.1:x`"));
    assert!(problems.contains("help: write"));
    let valid = DnsSettings { servers: settings.servers[..3].to_vec(), ..DnsSettings::default() };
    let addresses: Vec<_> =
        valid.addresses().unwrap().iter().map(|address| address.to_string()).collect();
    assert_eq!(addresses, ["127.0.0.1:53", "[::1]:5353", "[::1]:53"]);
}

#[test]
fn settings_are_read_from_the_configuration() {
    let text = r#"{"servers": ["127.0.0.1:53"], "timeout": "500ms"}"#;
    let settings: DnsSettings = serde_json::from_str(text).unwrap();
    assert_eq!(settings.timeout.as_millis(), 500);
    assert!(serde_json::from_str::<DnsSettings>(r#"{"server": []}"#).is_err());
}

#[tokio::test]
async fn one_task_watches_a_service_until_nobody_does() {
    let server = DnsServer::start().await;
    server.set_a("reports.test.", 30, [1]);
    let resolver = resolver(&[&server]);
    let mut one = Watcher(resolver.watch("reports.test:80"));
    let mut other = Watcher(resolver.watch("reports.test:80"));
    assert_eq!(one.next().await, ["10.0.0.1:80"]);
    assert_eq!(other.next().await, ["10.0.0.1:80"]);
    assert_eq!(Watcher(resolver.watch("reports.test:80")).addresses(), ["10.0.0.1:80"]);
    assert_eq!(server.questions().len(), 2, "A and AAAA once");
    assert_eq!(resolver.watched_len(), 1);
    drop(one);
    drop(other);
    until(|| resolver.watched_len() == 0).await;
    let mut again = Watcher(resolver.watch("reports.test:80"));
    assert_eq!(again.next().await, ["10.0.0.1:80"]);
}

#[test]
fn service_is_watched_anew_after_its_runtime_has_ended() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let (server, resolver) = first.block_on(async {
        let server = DnsServer::start().await;
        (server.address, resolver(&[&server]))
    });
    let stale = resolver.watch("reports.test:80");
    assert!(!stale.borrow().is_known(), "there is no runtime");
    assert_eq!(resolver.watched_len(), 0);
    let old = first.block_on(async { resolver.watch("reports.test:80") });
    drop(first);
    runtime().block_on(async {
        let server = DnsServer::start_at(server).await;
        server.set_a("reports.test.", 30, [1]);
        let mut watcher = Watcher(resolver.watch("reports.test:80"));
        assert_eq!(watcher.next().await, ["10.0.0.1:80"]);
    });
    drop(old);
}

#[tokio::test]
async fn watcher_outlives_the_resolver() {
    let server = DnsServer::start().await;
    server.set_a("reports.test.", 1, [1]);
    let mut watcher = Watcher::new(&server, "reports.test:80");
    assert_eq!(watcher.next().await, ["10.0.0.1:80"]);
    server.set_a("reports.test.", 1, [2]);
    assert_eq!(watcher.next().await, ["10.0.0.2:80"]);
}
