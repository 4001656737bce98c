use super::*;
use http::{Method as HttpMethod, Response};

use crate::base::{error::Code, spec::Verb};

fn routes() -> RouteTable {
    let mut routes = RouteTable::default();
    routes.exact.insert("/services/a/v1/b".into(), RouteTarget::WebSocket);
    for prefix in ["/api", "/api/inner", "/docs"] {
        routes.publish(prefix, Box::new(|_, _| Ok(Response::default())));
    }
    routes
}

fn prefix_of(routes: &RouteTable, path: &str) -> Option<usize> {
    let FoundRoute::Target(found) = routes.find(path)? else { return None };
    routes.prefixes.iter().position(|(_, target)| std::ptr::eq(target, found))
}

#[test]
fn the_longest_prefix_holds_on_segment_boundaries() {
    let routes = routes();
    let order: Vec<_> = routes.prefixes.iter().map(|(prefix, _)| &**prefix).collect();
    assert_eq!(order, ["/api/inner", "/docs", "/api"]);
    for (path, place) in [
        ("/api/inner", Some(0)),
        ("/api/inner/x", Some(0)),
        ("/api/inners", Some(2)),
        ("/api/", Some(2)),
        ("/api", Some(2)),
        ("/apis", None),
        ("/docs/a/b", Some(1)),
        ("/", None),
        ("", None),
    ] {
        assert_eq!(prefix_of(&routes, path), place, "{path}");
    }
}

#[test]
fn paths_are_compared_byte_for_byte_and_near_ones_are_named() {
    let routes = routes();
    assert!(routes.find("/services/a/v1/b").is_some());
    for near in ["/services/a/v1/b/", "/services/A/v1/b", "/services/a/V1/B//"] {
        assert!(routes.find(near).is_none(), "{near}");
        assert!(
            routes
                .not_found(near)
                .detail()
                .contains("a path with a similar name exists: `/services/a/v1/b`"),
            "{near}"
        );
    }
    for far in ["/services/a/v1/%62", "//services/a/v1/b", "/services/a/v1", "/", "*"] {
        assert!(routes.find(far).is_none(), "{far}");
        assert!(routes.not_found(far).detail().contains("/meta"), "{far}");
    }
}

#[test]
fn address_admits_its_method_and_names_the_allowed_ones() {
    let admit =
        |request: &str, verb| admit(&HttpMethod::from_bytes(request.as_bytes()).unwrap(), verb);
    assert_eq!(admit("GET", Verb::Get).unwrap(), MethodMatch::Call);
    assert_eq!(admit("HEAD", Verb::Get).unwrap(), MethodMatch::Call);
    assert_eq!(admit("PATCH", Verb::Patch).unwrap(), MethodMatch::Call);
    assert_eq!(admit("OPTIONS", Verb::Post).unwrap(), MethodMatch::Options);
    for (request, verb, allowed) in [
        ("HEAD", Verb::Post, "POST, OPTIONS"),
        ("POST", Verb::Get, "GET, HEAD, OPTIONS"),
        ("TRACE", Verb::Delete, "DELETE, OPTIONS"),
        ("put", Verb::Put, "PUT, OPTIONS"),
    ] {
        let error = admit(request, verb).unwrap_err();
        assert_eq!((error.code(), error.allow()), (Code::METHOD_NOT_ALLOWED, Some(allowed)));
    }
}
