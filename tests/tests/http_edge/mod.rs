//! The HTTP edge as its clients see it: real sockets against the real server.

mod attacks;
mod calls;
mod frames;
mod gateway;
mod ids;
mod mounts;
mod services;
mod streams;
mod unread;
mod webhooks;
mod websockets;
mod wire;
