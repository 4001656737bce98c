//! The dispatcher `http`: what reaches the instance, and what reaches the client, byte by byte.

mod both_ways;
mod drain;
mod early;
mod extended_connect;
mod failures;
mod forwarding;
mod framing;
mod gateway;
mod http2;
mod max_forwards;
mod reload;
mod settings;
mod stub;
mod tunnels;
mod upstream_http2;
mod upstream_tls;
mod upstreams;
