//! TLS to instances, in a program without it.

use std::io;

use tokio::net::TcpStream;

use crate::edge::proxy::{
    connection::socket::Socket,
    settings::{Protocol, UpstreamTlsSettings},
};

/// The TLS of the connections to the instances of an upstream, of which there is none.
pub(in crate::edge::proxy) enum TlsClient {}

/// The TLS of the connections to one instance, of which there is none.
#[derive(Clone)]
pub(in crate::edge::proxy) enum Tls {}

impl TlsClient {
    /// Names the feature that is missing.
    pub(in crate::edge::proxy) fn new(
        _: &UpstreamTlsSettings,
        _: Protocol,
    ) -> Result<Self, String> {
        Err("TLS to instances is not compiled in\n\
             help: build with the feature `http-client` of gateway-runtime"
            .to_owned())
    }

    pub(in crate::edge::proxy) fn of(&self, _: &str) -> Result<Tls, String> {
        match *self {}
    }
}

impl Tls {
    pub(super) async fn connect(&self, _: TcpStream, _: bool) -> io::Result<(Socket, bool)> {
        match *self {}
    }
}
