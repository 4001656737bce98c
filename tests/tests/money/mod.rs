//! Calls that cost money: what is charged, and what is not, whatever happens in between.

pub(crate) mod away;
mod budget;
mod charges;
mod commits;
mod crash;
mod cut;
mod file;
mod full;
mod interrupted;
mod kiosk;
mod leaving;
mod reload;
mod strangers;
