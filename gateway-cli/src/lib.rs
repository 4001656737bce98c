//! The command line of a gateway: serving, migration of its database, encrypted credentials.
//!
//! The program `gateway` has no services of its own. An author's program offers the same commands
//! over its services and migrations:
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

/// Runs the command of the program's arguments: the body of a `main` function.
///
/// `defaults` are the program's own settings (TOML), with the lowest precedence. `build` adds
/// values, layers and migrations to the gateway.
pub fn run(defaults: &str, build: impl FnOnce(Gateway) -> Gateway) -> ExitCode {
    match run_from(defaults, build, std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // An error of standard error itself cannot be reported anywhere.
            let _ = writeln!(io::stderr().lock(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command as [`run`] does, with these arguments, without the program's name.
///
/// # Errors
///
/// Fails with a text for the operator if the arguments are invalid or the command fails.
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
        Command::Credentials(command, options) => credentials::execute(defaults, command, options),
    }
}

/// Renders the problems of an error for the operator, one below the other.
fn render_problem(error: StartError) -> String {
    error.into_problems().join("\n")
}

fn print(text: &str) -> Result<(), String> {
    writeln!(io::stdout().lock(), "{text}")
        .map_err(|error| format!("cannot write to standard output: {error}"))
}
