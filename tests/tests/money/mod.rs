//! Priced calls: their charges, whatever happens in between.

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
