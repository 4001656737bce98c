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
  --listen ADDRESS   listen on this address instead of http.listen, such as 127.0.0.1:8080
  --set KEY=VALUE    set one key of the configuration, such as log.level=debug; repeatable
  --list             print the registered services, methods and providers, and exit
  -V, --version      print the version of the program, and exit
  -h, --help         print this help, and exit

Sources of the configuration, each over those before it: the file, credentials,
GATEWAY__SECTION__KEY in the environment, these options.";
