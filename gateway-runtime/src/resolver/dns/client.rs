//! Questions to servers of DNS.
//!
//! hickory's pool of one server sends a question, checks the reply and repeats a truncated one over
//! TCP. Its `Resolver` is not used: a cache would hide changes, a server that fails would not be
//! followed by the next one, and SRV records behind a CNAME would not be found.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hickory_resolver::{
    NameServerPool, PoolContext, TlsConfig,
    config::{ConnectionConfig, NameServerConfig, ResolverOpts},
    net::{
        DnsError, NetError,
        runtime::TokioRuntimeProvider,
        xfer::{DnsHandle, FirstAnswer},
    },
    proto::{
        op::{DnsRequestOptions, DnsResponse, Query, ResponseCode},
        rr::{Name, RecordType},
    },
    system_conf::read_system_conf,
};

use crate::{
    base::start_error::StartError,
    resolver::dns::{
        error::AskError,
        records::{Records, follow, min_ttl},
        settings::DnsSettings,
    },
};

/// The number of times that each server is asked.
const ROUNDS: usize = 2;

/// The maximum number of questions along one chain of CNAME records.
const MAX_CHAIN: usize = 8;

/// A client of the servers, which are asked in turn. The one that answered last is asked first.
pub(super) struct DnsClient {
    servers: Vec<NameServerPool<TokioRuntimeProvider>>,
    first: AtomicUsize,
    /// The search domains of `/etc/resolv.conf`; none where the settings name the servers.
    search: Vec<Name>,
}

impl DnsClient {
    /// Creates the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Fails for invalid settings. Where they name no server, fails if `/etc/resolv.conf` has none.
    pub(super) fn new(settings: &DnsSettings) -> Result<Self, StartError> {
        let mut servers: Vec<_> = settings.addresses()?.into_iter().map(server).collect();
        let mut search = Vec::new();
        if servers.is_empty() {
            let (system, _) = read_system_conf().map_err(|error| {
                StartError::new(format!(
                    "cannot read the servers of DNS from `/etc/resolv.conf`: {error}\n\
                     help: write `servers = [\"127.0.0.1:53\"]` in `[resolvers.dns]`"
                ))
            })?;
            servers = system.name_servers().to_vec();
            search = system.search().to_vec();
        }
        let context = Arc::new(context(settings.timeout)?);
        let pool = |server| {
            NameServerPool::from_config([server], context.clone(), TokioRuntimeProvider::default())
        };
        let servers = servers.into_iter().map(pool).collect();
        Ok(Self { servers, first: AtomicUsize::new(0), search })
    }

    /// Returns the names to ask for: the name as it is, then below each search domain.
    pub(super) fn candidates(&self, name: &Name, is_absolute: bool) -> Vec<Name> {
        let search = if is_absolute { &[][..] } else { &self.search };
        // A name that would be too long below a domain does not exist there.
        let below = search.iter().filter_map(|domain| name.clone().append_domain(domain).ok());
        [name.clone()].into_iter().chain(below).map(absolute).collect()
    }

    /// Returns the records of one type, of which there may be none. CNAME records are followed.
    ///
    /// # Errors
    ///
    /// Fails if no server can tell.
    pub(super) async fn records(
        &self,
        name: &Name,
        record_type: RecordType,
    ) -> Result<Records, AskError> {
        let mut owner = name.clone();
        let mut chain_ttl = None;
        for _ in 0..MAX_CHAIN {
            let (end, records) = self.ask(&Query::query(owner.clone(), record_type)).await?;
            if end == owner || !records.data.is_empty() {
                return Ok(Records { ttl: min_ttl(chain_ttl, records.ttl), ..records });
            }
            chain_ttl = min_ttl(chain_ttl, records.ttl);
            owner = end;
        }
        Err(AskError::Chain)
    }

    /// Returns the records of the first useful reply, and the name that CNAME records lead to.
    async fn ask(&self, query: &Query) -> Result<(Name, Records), AskError> {
        let mut error = AskError::NoServer;
        let first = self.first.load(Ordering::Relaxed);
        for round in 0..ROUNDS {
            for offset in 0..self.servers.len() {
                let index = (first + offset) % self.servers.len();
                // Old servers refuse EDNS (RFC 6891 §6.2.2).
                let mut options = DnsRequestOptions::default();
                options.use_edns = round == 0;
                let result =
                    self.servers[index].lookup(query.clone(), options).first_answer().await;
                match answer(result, query) {
                    Ok(answer) => {
                        self.first.store(index, Ordering::Relaxed);
                        return Ok(answer);
                    }
                    Err(why) => error = why,
                }
            }
        }
        Err(error)
    }
}

/// Returns what a server said of the records. Everything else, SERVFAIL and REFUSED among it, is a
/// failure to ask.
fn answer(
    result: Result<DnsResponse, NetError>,
    query: &Query,
) -> Result<(Name, Records), AskError> {
    let is_answer = |code| matches!(code, ResponseCode::NoError | ResponseCode::NXDomain);
    match result {
        Ok(response) if is_answer(response.response_code) => follow(&response, query),
        Ok(response) => Err(AskError::Code(response.response_code)),
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) if is_answer(none.response_code) => {
            // A server that names others has not looked itself.
            if none.ns.is_some() && none.soa.is_none() {
                return Err(AskError::Referral);
            }
            let nothing = Records { data: Vec::new(), ttl: none.negative_ttl };
            Ok((query.name().clone(), nothing))
        }
        Err(NetError::Dns(DnsError::ResponseCode(code))) => Err(AskError::Code(code)),
        Err(error) => Err(AskError::Network(error)),
    }
}

fn absolute(mut name: Name) -> Name {
    name.set_fqdn(true);
    name
}

fn server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    let connections = connections.map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.to_vec())
}

fn context(timeout: Duration) -> Result<PoolContext, StartError> {
    let mut options = ResolverOpts::default();
    options.timeout = timeout;
    let tls = TlsConfig::new().map_err(|error| StartError::new(error.to_string()))?;
    Ok(PoolContext::new(options, tls))
}
