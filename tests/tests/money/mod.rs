//! Calls that cost money: what is charged, and what is not, whatever happens in between.

mod away;
mod budget;
mod charges;
mod commits;
mod crash;
mod file;
mod kiosk;
mod reload;
