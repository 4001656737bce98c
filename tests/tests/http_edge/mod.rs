//! The HTTP edge as its clients see it: real sockets against the real server.

mod calls;
mod gateway;
mod mounts;
mod services;
mod streams;
mod webhooks;
mod websockets;
mod wire;
