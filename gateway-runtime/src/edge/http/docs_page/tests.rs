use super::*;

fn get(path: &str, headers: &[(HeaderName, &'static str)]) -> Result<Response<Bytes>> {
    let headers =
        headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
    serve(path, &headers.collect())
}

#[test]
fn every_address_in_the_page_is_relative_and_served() {
    let page = get("/docs", &[]).unwrap();
    let page = std::str::from_utf8(page.body()).unwrap();
    let links = page.split(['"']).filter(|text| text.starts_with("docs/")).collect::<Vec<_>>();
    assert_eq!(links.len(), 4, "{page}");
    for link in links {
        let file = get(&format!("/{link}"), &[]).unwrap();
        assert!(!file.body().is_empty(), "{link}");
    }
    assert!(!page.contains("=\"/") && !page.contains("//"), "{page}");
}

#[test]
fn gzipped_files_declare_their_coding_and_are_gzip() {
    for file in &FILES {
        let answer = get(file.path, &[]).unwrap();
        assert_eq!(answer.headers().contains_key(header::CONTENT_ENCODING), file.gzipped);
        assert_eq!(answer.headers().contains_key(header::VARY), file.gzipped);
        assert_eq!(answer.body().starts_with(&[0x1f, 0x8b]), file.gzipped, "{}", file.path);
    }
}

#[test]
fn each_file_has_its_own_entity_tag() {
    let tags =
        FILES.iter().map(|file| get(file.path, &[]).unwrap().headers()[header::ETAG].clone());
    assert_eq!(tags.collect::<std::collections::HashSet<_>>().len(), FILES.len());
}

#[test]
fn gzipped_files_are_sent_unless_gzip_is_refused() {
    let ask = |accepted| get("/docs/swagger-ui.css", &[(header::ACCEPT_ENCODING, accepted)]);
    for accepted in
        ["gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.5", "x-gzip", "*", "identity, *;q=0.1"]
    {
        assert_eq!(ask(accepted).unwrap().status(), StatusCode::OK, "{accepted}");
    }
    for refused in ["identity", "", "br", "gzip;q=0", "gzip; q=0.000, *", "*;q=0", "gzip;q=x"] {
        assert_eq!(ask(refused).unwrap_err().code(), Code::NOT_ACCEPTABLE, "{refused}");
    }
    assert!(get("/docs", &[(header::ACCEPT_ENCODING, "identity")]).is_ok());
}

#[test]
fn front_page_redirects_browsers_and_lists_documents_for_others() {
    let ask = |accept| {
        front("/", &HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
            .unwrap()
    };
    let redirect = ask("text/html,application/xhtml+xml,*/*;q=0.8");
    assert_eq!(
        (redirect.status(), &redirect.headers()[header::LOCATION]),
        (StatusCode::SEE_OTHER, &HeaderValue::from_static("docs"))
    );
    for other in ["*/*", "application/json"] {
        let listing = ask(other);
        let text = std::str::from_utf8(listing.body()).unwrap();
        assert_eq!(listing.status(), StatusCode::OK);
        assert!(
            ["/docs", "/meta", "/openapi.json", "/asyncapi.json"]
                .iter()
                .all(|it| text.contains(it)),
            "{text}"
        );
    }
}

#[test]
fn other_paths_are_not_found_and_a_trailing_slash_redirects() {
    for path in ["/docs/README.md", "/docs/../Cargo.toml", "/docs//start.js", "/docsx"] {
        assert_eq!(get(path, &[]).unwrap_err().code(), Code::NOT_FOUND, "{path}");
    }
    let slash = get("/docs/", &[]).unwrap();
    assert_eq!(slash.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(slash.headers()[header::LOCATION], "../docs");
}
