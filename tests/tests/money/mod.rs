//! Calls that cost money: what is charged, and what is not, whatever happens in between.

mod budget;
mod charges;
mod crash;
mod kiosk;
