//! TLS to instances: the roots that verify them, the name that they must have, and the protocols
//! that are offered to them (ALPN, RFC 7301).

use std::{io, path::Path, sync::Arc};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{
    base::error::with_causes,
    edge::proxy::{
        connection::socket::Socket,
        settings::{Protocol, UpstreamTlsSettings},
    },
};

const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";

/// The TLS of the connections to the instances of an upstream.
pub(in crate::edge::proxy) struct TlsClient {
    connector: TlsConnector,
    http1: TlsConnector,
    /// The name of all certificates, if the settings have one.
    name: Option<String>,
}

/// The TLS of the connections to one instance.
#[derive(Clone)]
pub(in crate::edge::proxy) struct Tls {
    /// Offers the protocols of the settings.
    connector: TlsConnector,
    /// Offers HTTP/1.1 alone, for requests that switch to another protocol.
    http1: TlsConnector,
    name: ServerName<'static>,
}

impl TlsClient {
    /// Creates the TLS of an upstream.
    ///
    /// # Errors
    ///
    /// Returns the reason, and how to mend it, if the roots cannot be read.
    pub(in crate::edge::proxy) fn new(
        settings: &UpstreamTlsSettings,
        protocol: Protocol,
    ) -> Result<Self, String> {
        let offered = match protocol {
            Protocol::Auto => vec![HTTP2.to_vec(), HTTP1.to_vec()],
            Protocol::Http1 => vec![HTTP1.to_vec()],
            Protocol::Http2 => vec![HTTP2.to_vec()],
        };
        let mut config = config(settings.ca.as_deref())?;
        let mut http1 = config.clone();
        config.alpn_protocols = offered;
        http1.alpn_protocols = vec![HTTP1.to_vec()];
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            http1: TlsConnector::from(Arc::new(http1)),
            name: settings.server_name.clone(),
        })
    }

    /// Returns the TLS of an instance. Its certificate must be of `host`, unless the settings name
    /// another server; that of an IP address must name the address.
    ///
    /// # Errors
    ///
    /// Returns the reason, and how to mend it, if the name is invalid.
    pub(in crate::edge::proxy) fn of(&self, host: &str) -> Result<Tls, String> {
        let name = self.name.as_deref().unwrap_or(host);
        // The brackets of an IPv6 address belong to the URL.
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| {
            format!("`{name}` is not a server name\nhelp: write a DNS name or an IP address")
        })?;
        let (connector, http1) = (self.connector.clone(), self.http1.clone());
        Ok(Tls { connector, http1, name })
    }
}

impl Tls {
    /// Completes the handshake, and returns whether the instance has chosen HTTP/2.
    ///
    /// # Errors
    ///
    /// Fails if the instance's certificate is not valid for its name, or the handshake fails.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        needs_http1: bool,
    ) -> io::Result<(Socket, bool)> {
        let connector = if needs_http1 { &self.http1 } else { &self.connector };
        let stream = connector.connect(self.name.clone(), stream).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        Ok((Socket::Tls(Box::new(stream)), is_http2))
    }
}

/// Creates the configuration of a client that verifies with the roots of a file, or with those of
/// the system.
fn config(ca: Option<&Path>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| with_causes(&error))?;
    match ca {
        Some(path) => Ok(builder.with_root_certificates(roots(path)?).with_no_client_auth()),
        None => builder
            .with_platform_verifier()
            .map(|builder| builder.with_no_client_auth())
            .map_err(|error| {
                format!(
                    "the system's certificate authorities cannot be loaded: {}\nhelp: install \
                     `ca-certificates`, set SSL_CERT_FILE, or name a file in `tls.ca`",
                    with_causes(&error)
                )
            }),
    }
}

/// Reads the roots of a PEM file.
fn roots(path: &Path) -> Result<RootCertStore, String> {
    let problem = |reason: &str| {
        let path = path.display();
        format!(
            "`{path}` is not a PEM file of certificates: {reason}\nhelp: `tls.ca` names the file \
             with the certificates of the authorities that the instances' are signed by"
        )
    };
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| problem(&with_causes(&error)))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| problem(&with_causes(&error)))?;
        roots.add(certificate).map_err(|error| problem(&with_causes(&error)))?;
    }
    if roots.is_empty() { Err(problem("it has no certificate")) } else { Ok(roots) }
}
