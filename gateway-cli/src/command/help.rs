//! The text of `--help`.

use std::path::Path;

use crate::command::{credentials, db, serve};

const OPTIONS: &str = "  --config FILE      read this file instead of ./gateway.toml
  --set KEY=VALUE    set one key of the configuration, such as store.path=gateway.db; repeatable
  --listen ADDRESS   listen on this address instead of http.listen
  --list             print the registered services, methods and providers, and exit
  -V, --version      print the version of the program, and exit
  -h, --help         print this help, and exit";

/// Returns the text of `--help` for a program of this name.
pub(crate) fn help(program: &str) -> String {
    let commands = [serve::HELP, db::HELP, credentials::HELP].concat();
    format!(
        "\
Usage: {program} [COMMAND] [OPTIONS]

Commands:
{commands}
Options of all commands:
{OPTIONS}

Sources of the configuration, each over those before it: the file, credentials,
GATEWAY__SECTION__KEY in the environment, these options."
    )
}

/// Returns the name under which the program was started.
pub(crate) fn program_name() -> String {
    let argument = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&argument).file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "gateway".to_owned())
}
