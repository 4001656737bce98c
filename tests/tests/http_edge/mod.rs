//! The HTTP edge as its clients see it: real sockets against the real server.

mod attacks;
mod calls;
mod compression;
mod floods;
mod frames;
mod gateway;
mod head;
mod heads;
mod ids;
mod local;
mod mounts;
mod pages;
mod services;
mod strangers;
mod streams;
mod turns;
mod unread;
mod webhooks;
mod websockets;
mod wire;
