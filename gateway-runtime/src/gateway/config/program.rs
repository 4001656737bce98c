//! The program on its command line: its name, and the text of `--help`.

use std::path::Path;

/// Returns the name under which the program was started.
pub(crate) fn program_name() -> String {
    let argument = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&argument).file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "gateway".to_owned())
}

/// Returns the text of `--help` for a program of this name.
pub(crate) fn help(program: &str) -> String {
    format!(
        "\
Usage: {program} [OPTIONS]

Serves until SIGTERM or SIGINT. SIGHUP reads the configuration again.

{OPTIONS}"
    )
}

/// The options of every program.
pub(super) const OPTIONS: &str = "\
Options:
  --config FILE      read this file instead of ./gateway.toml
  --listen ADDRESS   listen here instead of http.listen, such as 127.0.0.1:8080
  --set KEY=VALUE    set one key of the configuration, such as log.level=debug; may be repeated
  --list             print what is registered: services, methods, providers; then stop
  -V, --version      print the program's version; then stop
  -h, --help         print this; then stop

The configuration: the file, then credentials, then GATEWAY__SECTION__KEY from the \
environment, then these options.";
