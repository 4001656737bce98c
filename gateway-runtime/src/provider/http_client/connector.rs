//! The connector of outgoing HTTP connections: to providers, and of the typed client.

use std::time::Duration;

use crate::{
    base::start_error::StartError,
    provider::http_client::{classify::error_chain, settings::HttpClientSettings},
};

/// The interval of keep-alive probes on a connection in use, and the timeout of a probe.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Creates a client of the HTTP library that by itself retries nothing and follows no redirects.
///
/// # Errors
///
/// Fails if the file of extra authorities cannot be read, or no client can be created.
pub(crate) fn connector(settings: &HttpClientSettings) -> Result<reqwest::Client, StartError> {
    // An error means that the program has installed another provider, which is used then.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authorities = extra_authorities(settings)?;
    let client = builder(settings).tls_certs_merge(authorities.clone()).build().or_else(|error| {
        tracing::warn!(
            error = error_chain(error),
            "system certificate authorities not loaded, so no HTTPS provider is trusted; install \
             `ca-certificates`, or set SSL_CERT_FILE"
        );
        builder(settings).tls_certs_only(authorities).build()
    });
    client.map_err(|error| {
        StartError::new(format!("cannot create an HTTP client: {}", error_chain(error)))
    })
}

fn builder(settings: &HttpClientSettings) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(settings.idle_timeout)
        .pool_max_idle_per_host(settings.max_idle_per_host)
        // Streams may be silent for long, so the connection is probed instead.
        .tcp_keepalive(KEEP_ALIVE_INTERVAL)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .http2_keep_alive_timeout(KEEP_ALIVE_INTERVAL)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(&settings.user_agent)
}

fn extra_authorities(
    settings: &HttpClientSettings,
) -> Result<Vec<reqwest::Certificate>, StartError> {
    let Some(path) = &settings.extra_authorities else { return Ok(Vec::new()) };
    let problem = |reason: String| {
        let path = path.display();
        StartError::new(format!(
            "`http_client.extra_authorities`: `{path}` is not a PEM file of certificates: {reason}"
        ))
    };
    let pem = std::fs::read(path).map_err(|error| problem(error.to_string()))?;
    let authorities =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| problem(error_chain(error)))?;
    if authorities.is_empty() {
        Err(problem("it has no certificate".to_owned()))
    } else {
        Ok(authorities)
    }
}
