//! The cost of a gateway with many methods at start:
//! `cargo run --release -p gateway-benches --bin many [methods]`.
//!
//! Builds everything that a gateway of 10,000 methods serves, and prints the time of each part and
//! the growth of the process's proportional set size (`/proc/self/smaps_rollup`). Linux only.

use std::{env, error::Error, fs, hint::black_box, sync::Arc, time::Instant};

use gateway_benches::many;
use gateway_runtime::{
    auth::AcceptedCredentials,
    bus::BusSettings,
    http::{Documents, Info, RouteTable},
};

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let methods = env::args().nth(1).map_or(Ok(10_000), |methods| methods.parse())?;
    let before = pss()?;
    let started = Instant::now();
    let mut last = started;
    let mut step = |what: &str| -> Result<(), Box<dyn Error>> {
        println!(
            "{what:9} {:8.1} ms {:8.1} MiB in all",
            last.elapsed().as_secs_f64() * 1e3,
            (pss()? - before) / 1024.0
        );
        last = Instant::now();
        Ok(())
    };
    let registry = Arc::new(many::registry(methods)?);
    step("registry")?;
    let routes = RouteTable::new(&registry, |_| None)?;
    step("routes")?;
    let documents = Documents::new(
        &Info::default(),
        Arc::clone(&registry),
        AcceptedCredentials::default(),
        &BusSettings::default(),
    );
    step("documents")?;
    println!("{methods} methods in {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    black_box((registry, routes, documents));
    Ok(())
}

/// Returns the proportional set size of this process in KiB.
fn pss() -> Result<f64, Box<dyn Error>> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = rollup.lines().find(|line| line.starts_with("Pss:")).ok_or("no Pss line")?;
    Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse()?)
}
