//! The gateway without services of its own: `gateway --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gateway_cli::run("", |gateway| gateway.version(env!("CARGO_PKG_VERSION")))
}
