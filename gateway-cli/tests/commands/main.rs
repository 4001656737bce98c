//! The commands, carried out by the program itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod credentials;
mod db;
mod program;
