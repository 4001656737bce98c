//! A gateway as a program of its own: its configuration, its log, its signals.

mod lamp;
mod log;
mod proxy_faults;
mod proxy_log;
mod settings;
mod signals;
