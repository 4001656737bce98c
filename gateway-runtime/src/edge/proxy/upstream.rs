//! An upstream: its instances, and the choice of one for an attempt.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Uri, uri};
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::{
    base::{authority::Authority, start_error::StartError},
    edge::proxy::{
        connection::{Clocks, Connector, Tls},
        instance::{Instance, Lease},
        pool::ConnectionPool,
        settings::UpstreamSettings,
    },
};

/// An upstream.
#[derive(Debug)]
pub(super) struct Upstream {
    instances: Vec<Arc<Instance>>,
    pub(super) connect_timeout: Duration,
    pub(super) clocks: Clocks,
    eject_time: Duration,
}

impl Upstream {
    /// Creates the upstream of a section.
    ///
    /// # Errors
    ///
    /// Names every URL that is invalid.
    pub(super) fn new(name: &str, settings: &UpstreamSettings) -> Result<Self, StartError> {
        let mut problems = Vec::new();
        if settings.urls.is_empty() {
            problems.push(format!(
                "[upstreams.\"{name}\"]: missing key `urls`\n\
                 help: write `urls = [\"http://127.0.0.1:9000\"]`"
            ));
        }
        let mut instances = Vec::new();
        for url in &settings.urls {
            match instance(url, settings) {
                Ok(instance) => instances.push(Arc::new(instance)),
                Err(why) => problems.push(format!("[upstreams.\"{name}\"]: {why}")),
            }
        }
        StartError::from_problems(problems)?;
        Ok(Self {
            instances,
            connect_timeout: settings.connect_timeout,
            clocks: Clocks { first_byte: settings.first_byte_timeout, idle: settings.idle_timeout },
            eject_time: settings.eject_time,
        })
    }

    /// Chooses an instance: the less loaded of two random ones that are not ejected and were not
    /// tried before. If all others are ejected, each of them may be chosen (fail-open).
    pub(super) fn choose(&self, tried: &[Arc<Instance>]) -> Option<Lease> {
        if let [only] = &*self.instances {
            return tried.is_empty().then(|| only.lease());
        }
        let now = Instant::now();
        let untried = self
            .instances
            .iter()
            .filter(|instance| !tried.iter().any(|before| Arc::ptr_eq(before, instance)));
        let untried: Candidates<'_> = untried.collect();
        // One snapshot: another worker may eject an instance meanwhile.
        let available: Candidates<'_> =
            untried.iter().copied().filter(|instance| instance.is_available(now)).collect();
        let chosen = two_choices(if available.is_empty() { &untried } else { &available });
        chosen.map(Instance::lease)
    }

    /// Ejects an instance after a connection to it could not be opened. An only instance is not
    /// ejected.
    pub(super) fn eject(&self, instance: &Instance) {
        if self.instances.len() > 1 {
            instance.eject(self.eject_time);
        }
    }
}

/// The instances that may be chosen.
type Candidates<'i> = SmallVec<[&'i Arc<Instance>; 8]>;

/// Returns the less loaded of two random candidates (Mitzenmacher, "The Power of Two Choices in
/// Randomized Load Balancing").
fn two_choices<'i>(candidates: &Candidates<'i>) -> Option<&'i Arc<Instance>> {
    if candidates.len() < 2 {
        return candidates.first().copied();
    }
    let first = fastrand::usize(..candidates.len());
    // Any other one.
    let second = (first + fastrand::usize(1..candidates.len())) % candidates.len();
    let (first, second) = (candidates[first], candidates[second]);
    Some(if second.load() < first.load() { second } else { first })
}

/// Creates the instance of a URL, with its pool and its TLS configuration.
fn instance(url: &str, settings: &UpstreamSettings) -> Result<Instance, String> {
    let parsed = parse(url).map_err(|why| {
        format!("`urls`: `{url}` {why}\nhelp: write `http://host:port` or `https://host:port`")
    })?;
    let ParsedUrl { is_tls, host, port, authority, host_field } = parsed;
    let tls = is_tls.then(|| Tls::new(&settings.tls, settings.protocol, &host)).transpose();
    let tls = tls.map_err(|why| format!("`{url}`: {why}"))?;
    let address = format!("{host}:{port}");
    let connector = Connector::new(address.clone(), authority, settings.protocol, tls);
    let pool = ConnectionPool::new(connector, settings.keep_alive, settings.max_idle);
    Ok(Instance::new(address, host_field, pool))
}

/// The parts of an instance's URL.
struct ParsedUrl {
    is_tls: bool,
    host: String,
    port: u16,
    authority: uri::Authority,
    /// The value of `Host`.
    host_field: HeaderValue,
}

fn parse(url: &str) -> Result<ParsedUrl, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "is not a URL")?;
    let (is_tls, default_port) = match uri.scheme_str() {
        Some("http") => (false, 80),
        Some("https") => (true, 443),
        _ => return Err("has neither the scheme `http` nor `https`"),
    };
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err("has a path");
    }
    let whole = uri.authority().ok_or("has no host")?.clone();
    let text = whole.as_str();
    let authority = Authority::parse(text.as_bytes()).map_err(|_| "has no valid host")?;
    let host_field = HeaderValue::from_str(text).map_err(|_| "has no valid host")?;
    let port = authority.port().unwrap_or(default_port);
    let host = authority.host().to_owned();
    Ok(ParsedUrl { is_tls, host, port, authority: whole, host_field })
}
