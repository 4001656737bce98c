//! The command line of a gateway: to serve, to migrate its database, to keep its secrets.
//!
//! `gateway` is it without services; an author's own program has the same commands, over its services and migrations:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     gateway_cli::run("", |gateway| gateway.version(env!("CARGO_PKG_VERSION")))
//! }
//! ```

mod command;
mod credentials;
mod db;
mod editor;

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use gateway_runtime::{Gateway, StartError};

use self::command::Command;

/// Does what the arguments of the program say: a main function. `defaults` are the program's settings (TOML) under all
/// others, `build` adds to the gateway what `main` would: values, layers, migrations.
pub fn run(defaults: &str, build: impl FnOnce(Gateway) -> Gateway) -> ExitCode {
    match run_from(defaults, build, std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told when this fails too.
            let _ = writeln!(io::stderr().lock(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// As [`run`], with these arguments, the program's name left out.
///
/// # Errors
///
/// What went wrong, for people.
pub fn run_from(
    defaults: &str,
    build: impl FnOnce(Gateway) -> Gateway,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<(), String> {
    let gateway = |options| {
        Gateway::from_arguments_over(defaults, options).map(build).map_err(render_problem)
    };
    match Command::read(arguments)? {
        Command::Help => print(&command::help(&command::program_name())),
        Command::Serve(options) => gateway(options)?.run().map_err(render_problem),
        Command::Db(command, options) => db::execute(&gateway(options)?, command),
        Command::Credentials(command, options) => {
            credentials::carry_out(defaults, command, options)
        }
    }
}

/// A problem as the operator reads it, whatever was to be done.
fn render_problem(error: StartError) -> String {
    error.into_problems().join("\n")
}

fn print(text: &str) -> Result<(), String> {
    writeln!(io::stdout().lock(), "{text}")
        .map_err(|error| format!("standard output cannot be written: {error}"))
}
