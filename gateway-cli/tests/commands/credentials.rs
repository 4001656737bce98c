//! Tests of `gateway credentials`, and of a gateway that opens them at start.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::program::Folder;

/// The secret settings: the path of the database.
const SETTINGS: &str = "[store]\npath = 'planted.db'\n";

/// Returns a folder with a key and credentials of the profile `live`.
fn sealed() -> Folder {
    let folder = Folder::new();
    folder.write(
        "gateway.toml",
        "[credentials]\nkey_file = 'key.txt'\nprofile = 'live'\n[store]\nconnections = 2",
    );
    folder.run("credentials new-key key.txt").done();
    folder.run_with("credentials encrypt live", &[], SETTINGS).done();
    folder
}

#[test]
fn encrypted_settings_decrypt_and_are_private() {
    let folder = sealed();
    let path = folder.0.join("credentials/live.toml.age");
    let bytes = fs::read(&path).unwrap();
    assert!(
        bytes.starts_with(b"age-encryption.org/v1")
            && !bytes.windows(7).any(|window| window == b"planted")
    );
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(path.clone()), mode(folder.0.join("credentials")), mode(folder.0.join("key.txt"))),
        (0o600, 0o700, 0o600)
    );
    assert_eq!(folder.run("credentials decrypt live").done(), SETTINGS);
    assert_eq!(
        fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1,
        "nothing is left beside it"
    );

    let error = folder.run("credentials new-key key.txt").failed();
    assert!(error.contains("cannot be created"), "a key is not overwritten: {error}");
    folder.run("credentials new-key other.txt").done();
    let error =
        folder.run("credentials decrypt live --set credentials.key_file=other.txt").failed();
    assert!(error.contains("another key or passphrase"), "{error}");
    folder.write("no-key.txt", "planted, and no key");
    let error =
        folder.run("credentials decrypt live --set credentials.key_file=no-key.txt").failed();
    assert!(
        error.contains("line 1 of the key file is not an age secret key")
            && !error.contains("planted"),
        "{error}"
    );
    for line in ["credentials decrypt ../live", "credentials decrypt absent"] {
        folder.run(line).failed();
    }
}

#[test]
fn gateway_opens_credentials_at_start() {
    let folder = sealed();
    folder.run("db migrate").done();
    assert!(folder.0.join("planted.db").exists(), "the credentials said where");
    // The environment and flags take precedence over credentials.
    folder.run_with("db migrate", &[("GATEWAY__STORE__PATH", "env.db")], "").done();
    folder.run("db migrate --set store.path=flag.db").done();
    assert!(folder.0.join("env.db").exists() && folder.0.join("flag.db").exists());
    // Credentials are validated with the other settings; errors do not contain their values.
    folder.run_with("credentials encrypt live", &[], "[store]\npth = 'planted'").done();
    let error = folder.run("db status").failed();
    assert!(error.contains("`store.pth`") && !error.contains("planted"), "{error}");
    let error = folder.run_with("credentials encrypt live", &[], "pth = planted'").failed();
    assert!(error.contains("line 1") && !error.contains("planted"), "{error}");
    let help = folder.run("--help").done();
    assert!(help.starts_with("Usage: gateway [COMMAND]"), "{help}");
    for command in ["serve [FILE]", "db migrate", "credentials edit", "--version"] {
        assert!(help.contains(command), "who asks for help needs no key: {command}: {help}");
    }
    for line in ["--version", "db -V"] {
        let version = folder.run(line).done();
        let own = env!("CARGO_PKG_VERSION");
        assert_eq!(version, format!("gateway {own} (gateway-runtime {own})\n"));
    }
    fs::remove_file(folder.0.join("key.txt")).unwrap();
    let error = folder.run("db status").failed();
    assert!(error.contains("`key.txt` cannot be read"), "{error}");
}

#[test]
fn edit_is_private_and_replaces_the_file_at_once() {
    let folder = sealed();
    let before = fs::read(folder.0.join("credentials/live.toml.age")).unwrap();
    let edit = |editor: &str| folder.run_with("credentials edit live", &[("EDITOR", editor)], "");
    assert!(edit("true").done().contains("nothing was changed"));
    assert!(edit("false").failed().contains("nothing was changed"));
    assert!(edit("sed -i s/path/=/").failed().contains("is not valid TOML"));
    assert_eq!(fs::read(folder.0.join("credentials/live.toml.age")).unwrap(), before);

    // The editor receives a private file in a private folder.
    folder.write(
        "spy",
        "stat -c %a \"$1\" \"$(dirname \"$1\")\" > spied\necho \"$1\" >> spied\nsed -i \
         s/planted/changed/ \"$1\"\n",
    );
    edit("sh ./spy").done();
    assert_eq!(
        folder.run("credentials decrypt live").done(),
        SETTINGS.replace("planted", "changed")
    );
    let spied = fs::read_to_string(folder.0.join("spied")).unwrap();
    let lines: Vec<_> = spied.lines().collect();
    assert_eq!(lines[..2], ["600", "700"]);
    assert!(!std::path::Path::new(lines[2]).exists(), "it is gone: {spied}");

    // A profile that does not exist yet is created.
    folder.write("new", "echo '[store]' > \"$1\"");
    folder
        .run_with("credentials edit staging", &[("VISUAL", "sh ./new"), ("EDITOR", "false")], "")
        .done();
    assert_eq!(folder.run("credentials decrypt staging").done(), "[store]\n");
}

#[test]
fn passphrase_seals_and_opens_credentials() {
    let folder = Folder::new();
    let env = [("GATEWAY__CREDENTIALS__PASSPHRASE", "planted passphrase")];
    folder.write("settings.toml", SETTINGS);
    folder.run_with("credentials encrypt live --file settings.toml", &env, "").done();
    assert_eq!(folder.run_with("credentials decrypt live", &env, "").done(), SETTINGS);
    let wrong = [("GATEWAY__CREDENTIALS__PASSPHRASE", "planted")];
    let error = folder.run_with("credentials decrypt live", &wrong, "").failed();
    assert!(error.contains("another key or passphrase") && !error.contains("planted"), "{error}");
    let error = folder.run("credentials decrypt live").failed();
    assert!(error.contains("GATEWAY__CREDENTIALS__PASSPHRASE"), "{error}");
    folder.run("credentials new-key key.txt").done();
    // A later source replaces the key; two keys in one source are an error.
    let error = folder
        .run_with("credentials decrypt live --set credentials.key_file=key.txt", &env, "")
        .failed();
    assert!(error.contains("another key or passphrase"), "{error}");
    let both = [env[0], ("GATEWAY__CREDENTIALS__KEY_FILE", "key.txt")];
    let error = folder.run_with("credentials decrypt live", &both, "").failed();
    assert!(
        error.contains("both `key_file` and a passphrase are set\nhelp: remove one of them"),
        "{error}"
    );
}
