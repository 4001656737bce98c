//! The HTTP server, over real sockets.

#[cfg(test)]
mod http_server {
    mod bodies;
    mod exchanges;
    mod leaving;
    mod limits;
    mod listening;
    mod shutdown;
    mod stalls;
    mod support;
}
