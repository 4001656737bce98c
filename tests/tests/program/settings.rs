//! Refused configurations and their messages: every problem at once, each with its source.

use std::os::unix::fs::PermissionsExt;

use super::lamp::Folder;

#[test]
fn every_problem_is_reported_in_one_run() {
    let folder =
        Folder::new("[services.shop]\nopen = true\n[quota.methods]\n'lamp/v1/lok' = '1/h'\n");
    // A value of the wrong form is reported together with wrong names.
    let error = folder.refused("--set\nhttp.request_timeout=30\n--set\nhttp.wrkers=1", &[]);
    for told in [
        "`http.request_timeout` in the flags",
        "`wrkers`",
        "`services.shop` in `",
        "`methods.lamp/v1/lok`",
        "lamp/v1/look",
    ] {
        assert!(error.contains(told), "{told}: {error}");
    }
    // Wrong names and wrong values are reported together.
    let set =
        "--set\nlog.level=inof\n--set\nstore.path=\n--set\nredis.port=1\n--set\nadmin.token=short";
    let error = folder.refused(set, &[]);
    for told in [
        "`log.level` in the flags: unknown level `inof`",
        "help: a similar level exists: `info`",
        "`store.path` in the flags: the path is empty",
        "[redis]: `port` or `db` is set without `host`",
        "the token of `admin`",
        "`services.shop`",
        "`methods.lamp/v1/lok`",
    ] {
        assert!(error.contains(told), "{told}: {error}");
    }
    // So are keys of callers, routes, secrets of webhooks, and the lack of authentication.
    let set = "--set\nlog.level=inof\n--set\nauth.internal_key=short\n--set\n\
        auth.jwt.jwks_url=http://keys.example\n\
               --set\nauth.keys.one={hash='no',account='a'}\n--set\nsecrets={}\n--set\n\
               routes.reports.dispatch=bsu\n\
               --set\nroutes.shop={dispatch='bus',exchange='a/b',body_bytes=99999999999}\n--set\n\
               routes.plain={dispatch='bus',timeout='soon'}";
    let error = folder.refused(set, &[]);
    for told in [
        "`log.level` in the flags: unknown level `inof`",
        "`auth.internal_key` in the flags",
        "`auth.jwt.jwks_url` in the flags",
        "`auth.keys.one",
        "signed with the secret `EMAIL_WEBHOOK_SECRET`, which is not set",
        "[routes.\"reports\"]: unknown dispatcher `bsu`",
        "[routes.\"shop\"]: `body_bytes` exceeds `http.limits.client_buffered_bytes`",
        "routes.plain",
    ] {
        assert!(error.contains(told), "{told}: {error}");
    }
    let error = folder.refused(
        "--set\nhttp.listen=0.0.0.0:0\n--set\nsecrets={}\n--set\n\
            routes.shop={dispatch='bus',auth=true}",
        &[],
    );
    for told in [
        "`http.listen` (0.0.0.0:0) is reachable from other machines",
        "`EMAIL_WEBHOOK_SECRET`",
        "[routes.shop]: it requires an authenticated caller",
    ] {
        assert!(error.contains(told), "{told}: {error}");
    }
}

#[test]
fn levels_are_understood_or_refused_and_never_silence() {
    let folder = Folder::new("log.format = 'json'");
    for level in ["WARNING", "Warn", "FATAL", "info ", "trace"] {
        let name = if level == "FATAL" || level.to_lowercase().starts_with("warn") {
            "debug,hyper="
        } else {
            ""
        };
        // The log line of the start has level `info`.
        let serving = folder.serve("", &[("LOG_LEVEL", &format!("{name}{level}"))]);
        serving.signal("TERM");
        assert!(serving.ended().success());
    }
    for (level, nearest) in [
        ("inof", "`info`"),
        ("gateway=inof", "`gateway=info`"),
        ("loud", "write one of error, warn"),
    ] {
        let error = folder.refused("", &[("LOG_LEVEL", level)]);
        assert!(
            error.contains("the environment (`LOG_LEVEL`)") && error.contains(nearest),
            "{level}: {error}"
        );
    }
}

#[test]
fn variable_with_one_underscore_is_named_with_the_right_spelling() {
    let folder = Folder::new("");
    let error = folder.refused("", &[("GATEWAY_HTTP_LISTEN", "0.0.0.0:80")]);
    assert!(
        error.contains("`GATEWAY_HTTP_LISTEN`") && error.contains("`GATEWAY__HTTP__LISTEN`"),
        "{error}"
    );
}

#[test]
fn secret_with_white_space_at_its_ends_is_refused_with_its_key_and_source() {
    let folder = Folder::new("");
    for (name, key) in [
        ("INTERNAL_GATEWAY_KEY", "auth.internal_key"),
        ("GATEWAY__SECRETS__EMAIL_WEBHOOK_SECRET", "secrets.EMAIL_WEBHOOK_SECRET"),
        ("GATEWAY__ADMIN__TOKEN", "admin.token"),
        ("GATEWAY__CREDENTIALS__PASSPHRASE", "credentials.passphrase"),
        ("DB_URL", "store.url"),
        ("MESSAGE_BUS_AMQP_URL", "bus.amqp"),
    ] {
        for secret in [
            "planted0123456789abcdef0123456789abcdef\n",
            " planted0123456789abcdef0123456789abcdef",
        ] {
            let error = folder.refused("", &[(name, secret)]);
            let place = format!(
                "`{key}` in the environment (`{name}`): the secret begins or ends with a space or \
                 a line break"
            );
            assert!(error.contains(&place) && !error.contains("planted"), "{name}: {error}");
        }
    }
    folder.write("auth.internal_key = '0123456789abcdef0123456789abcdef '");
    let error = folder.refused("", &[]);
    assert!(
        error.contains("`auth.internal_key` in `") && error.contains("gateway.toml`"),
        "{error}"
    );
    folder.write("");
    let secrets = [
        ("planted\n", "line break"),
        ("v1,whsec_cGxhbnRlZA==", "begins with `v1,`"),
        ("whsec_QQ==", "fewer than 24 bytes"),
    ];
    for (secret, told) in secrets {
        let error = folder.refused("--set\nsecrets={}", &[("EMAIL_WEBHOOK_SECRET", secret)]);
        let is_told = error.contains("`EMAIL_WEBHOOK_SECRET`") && error.contains(told);
        assert!(
            is_told && !error.contains("planted") && !error.contains("cGxh"),
            "{told}: {error}"
        );
    }
}

#[test]
fn database_of_the_environment_replaces_the_one_of_the_file() {
    let folder = Folder::new("log.format = 'json'\nstore.path = 'compiled-in.db'");
    // Nothing listens there: the gateway tries it, and not the file.
    let error = folder.refused(
        "",
        &[("DB_URL", "postgres://gateway:planted@127.0.0.1:1/gateway?sslmode=disable")],
    );
    assert!(
        error.contains("[store]") && !error.contains("both") && !error.contains("planted"),
        "{error}"
    );
    assert!(!folder.path("compiled-in.db").exists());
    let error = folder.refused("", &[("DB_URL", "mysql://gateway:planted@127.0.0.1/gateway")]);
    assert!(
        error.contains(
            "`store.url` in the environment (`DB_URL`): `mysql` databases are not supported"
        ),
        "{error}"
    );
    assert!(error.contains("help: write `postgres://") && !error.contains("planted"), "{error}");
    let error = folder.refused("", &[("GATEWAY__STORE__PATH", "")]);
    assert!(
        error.contains("`store.path` in the environment") && error.contains("help:"),
        "{error}"
    );
}

#[test]
fn database_file_is_for_its_owner_alone() {
    let folder = Folder::new("log.format = 'json'\nstore.path = 'books.db'");
    let serving = folder.serve("", &[]);
    assert_eq!(serving.get("/services/lamp/v1/look", "").0, 200);
    for name in ["books.db", "books.db-wal", "books.db-shm"] {
        let mode = std::fs::metadata(folder.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}: {mode:o}");
    }
}

#[test]
fn help_and_version_answer_whatever_is_wrong_in_the_configuration() {
    let folder = Folder::new("[[");
    let (is_success, version, _) = folder.run("--version", &[]);
    assert!(
        is_success && version.contains("main-") && version.contains("(gateway-runtime "),
        "{version}"
    );
    let (is_success, help, _) = folder.run("--help", &[]);
    assert!(is_success && help.contains("Usage: main-") && help.contains("--version"), "{help}");
}
