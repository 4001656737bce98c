use super::*;

fn read(line: &str) -> Result<Command, String> {
    Command::read(line.split_whitespace().map(OsString::from))
}

fn options(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

#[test]
fn words_come_first_and_options_are_passed_on() {
    assert_eq!(read("").unwrap(), Command::Serve(vec![]));
    assert_eq!(
        read("--listen 127.0.0.1:1 --list").unwrap(),
        Command::Serve(options("--listen 127.0.0.1:1 --list"))
    );
    assert_eq!(read("serve --config a").unwrap(), Command::Serve(options("--config a")));
    assert_eq!(
        read("serve a.toml --list").unwrap(),
        Command::Serve(options("--config a.toml --list"))
    );
    assert_eq!(
        read("db status --set a=b").unwrap(),
        Command::Db(DbCommand::Status, options("--set a=b"))
    );
    assert_eq!(read("db migrate").unwrap(), Command::Db(DbCommand::Migrate, vec![]));
    let to = |owner: &str, version| {
        let command = DbCommand::MigrateTo { owner: owner.to_owned(), version };
        Command::Db(command, options("--config a"))
    };
    assert_eq!(read("db migrate --to 1 --config a").unwrap(), to("gateway", 1));
    assert_eq!(read("db migrate --config a --to=0 --owner till").unwrap(), to("till", 0));
    let encrypt =
        CredentialsCommand::Encrypt { profile: "live".to_owned(), file: Some("a.toml".into()) };
    assert_eq!(
        read("credentials encrypt live --file a.toml").unwrap(),
        Command::Credentials(encrypt, vec![])
    );
    assert_eq!(read("db migrate --help").unwrap(), Command::Help);
    assert_eq!(read("db status -V").unwrap(), Command::Serve(options("--version")));
}

#[test]
fn unknown_arguments_are_refused_with_a_reason() {
    let invalid =
        |to| format!("invalid value `{to}` for `--to`\nhelp: use the version of a migration, or 0");
    for (line, expected) in [
        ("db", "unknown command `db`\n\nUsage: "),
        ("db drop", "unknown command `db drop`\n\nUsage: "),
        ("serve a b", "unknown command `serve a b`\n\nUsage: "),
        ("credentials edit", "unknown command `credentials edit`\n\nUsage: "),
        ("db migrate --to", "missing value for `--to`"),
        ("db migrate --to x", &invalid("x")),
        ("db migrate --to -1", &invalid("-1")),
        ("db migrate --to 1 --to 2", "duplicate option `--to`"),
        ("db migrate --owner a", "`--owner a` without `--to`\nhelp: add `--to`"),
    ] {
        let error = read(line).unwrap_err();
        assert!(error.starts_with(expected), "{line}: {error}");
    }
}

#[test]
fn help_has_a_line_for_each_command() {
    let help = help("till");
    assert!(help.starts_with("Usage: till [COMMAND] [OPTIONS]\n\nCommands:\n  serve [FILE]   "));
    for command in ["db status", "db migrate"] {
        assert!(help.contains(&format!("\n  {command}  ")), "{help}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}
