//! The section `[resolvers.dns]`.

#[cfg(feature = "dns")]
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::duration::{self, DurationText};
#[cfg(feature = "dns")]
use crate::base::start_error::StartError;

/// The port of DNS (RFC 1035 §4.2).
#[cfg(feature = "dns")]
const PORT: u16 = 53;

/// The servers of DNS, and the time that a question may take.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DnsSettings {
    /// The servers, as `ip:port` or `ip`; those of `/etc/resolv.conf` by default.
    pub servers: Vec<String>,
    /// The maximum time of one question to one server: 2 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
}

impl Default for DnsSettings {
    fn default() -> Self {
        Self { servers: Vec::new(), timeout: Duration::from_secs(2) }
    }
}

#[cfg(feature = "dns")]
impl DnsSettings {
    /// Parses the addresses of the servers.
    ///
    /// # Errors
    ///
    /// Names every server that is no address, and a timeout of zero.
    pub(crate) fn addresses(&self) -> Result<Vec<SocketAddr>, StartError> {
        let mut problems = Vec::new();
        if self.timeout.is_zero() {
            problems.push(
                "`resolvers.dns.timeout` in the configuration: no server can answer in `0s`\n\
                 help: write `2s`"
                    .to_owned(),
            );
        }
        let mut addresses = Vec::new();
        for server in &self.servers {
            match parse(server) {
                Some(address) => addresses.push(address),
                None => problems.push(format!(
                    "`resolvers.dns.servers` in the configuration: `{server}` is not an address\n\
                     help: write `127.0.0.1:53`, `127.0.0.1` or `[::1]:53`"
                )),
            }
        }
        StartError::from_problems(problems)?;
        Ok(addresses)
    }
}

#[cfg(feature = "dns")]
fn parse(server: &str) -> Option<SocketAddr> {
    let with_port = server.parse::<SocketAddr>().ok();
    with_port.or_else(|| Some(SocketAddr::new(server.parse::<IpAddr>().ok()?, PORT)))
}
