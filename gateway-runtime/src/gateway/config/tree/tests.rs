use super::*;

#[test]
fn later_sources_win_key_by_key() {
    let mut tree = Tree::from_toml("[http]\nlisten = \"a\"\nworkers = 1", "test").unwrap();
    let variables = [("GATEWAY__HTTP__LISTEN", "b"), ("LOG_LEVEL", "debug"), ("PATH", "/bin")];
    tree.add_env(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter())
        .unwrap();
    tree.add_flags(&[("http.listen".to_owned(), "c".to_owned())]).unwrap();
    let expected =
        serde_json::json!({"http": {"listen": "c", "workers": 1}, "log": {"level": "debug"}});
    assert_eq!(tree.into_parts().0, expected);
}

#[test]
fn short_names_are_keys_and_variables_of_kubernetes_are_not() {
    let redis = |port: &str| {
        let mut tree = Tree::default();
        let variables = [("REDIS_HOST", "cache"), ("REDIS_PORT", port), ("REDIS_DB", "2")];
        tree.add_env(
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter(),
        )
        .unwrap();
        let settings = crate::gateway::config::Settings::read(tree).unwrap().redis;
        (settings.host, settings.port, settings.db)
    };
    assert_eq!(redis("6380"), (Some("cache".to_owned()), Some(6380), Some(2)));
    assert_eq!(redis("tcp://10.0.0.11:6379"), (Some("cache".to_owned()), None, Some(2)));
}

#[test]
fn later_source_displaces_exclusive_keys_by_any_spelling() {
    let variables = |variables: &[(&str, &str)]| {
        let mut tree = Tree::default();
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        tree.add_env(owned).unwrap();
        tree
    };
    let mut tree =
        Tree::from_toml("store.path = 'email.db'\nredis.url = 'redis://a'", "the defaults")
            .unwrap();
    tree.add(variables(&[("DB_URL", "postgres://x"), ("REDIS_HOST", "b"), ("REDIS_PORT", "1")]));
    let store = serde_json::json!({
        "store": {"url": "postgres://x"},
        "redis": {"host": "b", "port": "1"},
    });
    assert_eq!(tree.clone().into_parts().0, store);
    let mut flags = Tree::default();
    flags.add_flags(&[("store.path".to_owned(), "other.db".to_owned())]).unwrap();
    tree.add(flags);
    assert_eq!(tree.section("store"), serde_json::json!({"path": "other.db"}));
    // One source that names both is wrong, and stays so.
    let both = variables(&[("DB_URL", "postgres://x"), ("GATEWAY__STORE__PATH", "a.db")]);
    assert_eq!(both.section("store").as_object().unwrap().len(), 2);
}

#[test]
fn variable_with_too_few_underscores_is_named_with_the_right_spelling() {
    let add = |name: &str, value: &str| {
        let mut tree = Tree::default();
        tree.add_env([(name.to_owned(), value.to_owned())].into_iter())
    };
    let error = add("GATEWAY_HTTP_LISTEN", "0.0.0.0:80").unwrap_err().to_string();
    assert!(
        error.contains("`GATEWAY_HTTP_LISTEN`")
            && error.contains("help: write `GATEWAY__HTTP__LISTEN`"),
        "{error}"
    );
    assert!(add("GATEWAY_REDIS_PORT", "tcp://10.0.0.11:6379").is_ok(), "Kubernetes");
    assert!(add("GATEWAY_SERVICE_HOST", "10.0.0.1").is_ok());
}

#[test]
fn key_that_cannot_be_set_is_explained() {
    let mut tree = Tree::from_toml("http = 1", "test").unwrap();
    let error = tree.add_flags(&[("http.listen".to_owned(), "c".to_owned())]).unwrap_err();
    assert!(
        error.to_string().contains("`http` in `http.listen` is a value, not a section"),
        "{error}"
    );
    let error = Tree::from_toml("[http", "gateway.toml").unwrap_err().to_string();
    assert!(
        error.contains("`gateway.toml` is not valid TOML") && error.contains("line 1"),
        "{error}"
    );
}

#[test]
fn a_line_that_is_no_toml_is_named_and_not_repeated() {
    for line in [
        "key = 'hunter2",
        "key = hunter2",
        "key = \"hunter2\\q\"",
        "'hunter2' = 1 2",
        "hunter2",
        "key = 'a' hunter2",
    ] {
        let error = Tree::from_toml(&format!("[secrets]\n\n{line}\n"), "gateway.toml")
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 3") && !error.contains("hunter2"), "{line}: {error}");
    }
}
