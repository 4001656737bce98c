//! The dispatcher `http`: what reaches the instance, and what reaches the client, byte by byte.

mod failures;
mod forwarding;
mod framing;
mod gateway;
mod http2;
mod reload;
mod stub;
mod tunnels;
mod upstream_http2;
mod upstream_tls;
mod upstreams;
