//! Faults of `[upstreams]` and `[routes]`, each named by its own section, and all at once.

use gateway_runtime::Gateway;

use super::gateway::SECRETS;

async fn problems(sections: &str) -> Vec<String> {
    let text = format!("{SECRETS}\n[http]\nlisten = \"127.0.0.1:0\"\n{sections}");
    let started = Gateway::from_toml(&text).unwrap().start().await;
    started.err().map(gateway_runtime::StartError::into_problems).unwrap_or_default()
}

#[tokio::test]
async fn every_fault_is_reported_once_and_by_its_own_section() {
    let found = problems(
        "[upstreams.bad]\nurls = [\"ftp://x\"]\n\
         [upstreams.twice]\nurls = [\"http://a:1\", \"http://b:1\", \"http://A:1/\"]\n\
         [upstreams.zero]\nurls = [\"http://a:1\"]\nconnect_timeout = \"0s\"\n\
         idle_timeout = \"0s\"\nfirst_byte_timeout = \"0s\"\n\
         [upstreams.services]\nurls = [\"http://a:1\"]\n\
         [routes.one]\ndispatch = \"http\"\nupstream = \"bad\"\n\
         [routes.two]\ndispatch = \"http\"\nupstream = \"nowhere\"\n\
         [routes.three]\ndispatch = \"http\"\nupstream = \"twice\"\nunknown = 1\n",
    )
    .await;
    for (section, word) in [
        ("upstreams.bad", "ftp://x"),
        ("upstreams.twice", "http://A:1/"),
        ("upstreams.zero", "connect_timeout"),
        ("upstreams.zero", "idle_timeout"),
        ("upstreams.zero", "first_byte_timeout"),
        ("routes.\"two\"", "nowhere"),
        ("routes.three", "unknown"),
    ] {
        let told = found.iter().filter(|one| one.contains(section) && one.contains(word)).count();
        assert_eq!(told, 1, "{section} {word}: {found:#?}");
    }
    assert_eq!(found.len(), 7, "{found:#?}");
    assert!(!found.iter().any(|one| one.contains("routes.\"one\"")), "{found:#?}");
    let upstreams = found.iter().filter(|one| one.contains("upstreams."));
    assert!(upstreams.clone().all(|one| one.contains("\nhelp: ")), "{found:#?}");
}

#[tokio::test]
async fn a_route_that_an_upstream_makes_is_named_by_the_upstream() {
    let found = problems("[upstreams.services]\nurls = [\"http://a:1\"]\n").await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("[upstreams.services]"), "{found:#?}");
}

#[tokio::test]
async fn a_pool_of_none_is_valid() {
    assert!(problems("[upstreams.a]\nurls = [\"http://a:1\"]\nmax_idle = 0\n").await.is_empty());
}
