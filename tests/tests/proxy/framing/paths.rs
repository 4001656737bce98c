//! The path rule. A path that it refuses is no fault of framing: the connection serves the next
//! request.

use super::{
    Fate::{Answered, Forwarded},
    check, get,
};

#[tokio::test]
async fn paths_with_two_readings_are_refused() {
    let paths = [
        ("two dots", "/foo/../x"),
        ("two dots that lead to the root", "/foo/x/../../y"),
        ("two dots at the end", "/foo/x/.."),
        ("two dots around the service", "/foo/../foo/x"),
        ("one dot", "/foo/./x"),
        ("one dot at the end", "/foo/x/."),
        ("one dot as all of the path", "/foo/."),
        ("both dots encoded", "/foo/%2e%2e/x"),
        ("both dots encoded, upper case", "/foo/%2E%2E/x"),
        ("the first dot encoded", "/foo/%2e./x"),
        ("the second dot encoded", "/foo/.%2E/x"),
        ("encoded dots at the end", "/foo/x/%2e%2e"),
        ("one dot encoded", "/foo/%2e/x"),
        ("two dots between double slashes", "/foo//..//x"),
        ("two dots with a parameter", "/foo/..;/x"),
        ("two dots with a parameter and a value", "/foo/..;a=b/x"),
        ("encoded dots with a parameter", "/foo/%2e%2e;/x"),
        ("one dot with a parameter", "/foo/.;a/x"),
        ("two dots with a parameter at the end", "/foo/x/..;"),
        ("two dots in an absolute target", "http://a/foo/../x"),
        ("an encoded slash", "/foo/a%2fb"),
        ("an encoded slash, upper case", "/foo/a%2Fb"),
        ("dots and an encoded slash", "/foo/..%2fx"),
        ("encoded dots and slash", "/foo/%2e%2e%2fx"),
        ("a backslash", "/foo/a\\b"),
        ("dots and a backslash", "/foo/..\\x"),
        ("an encoded backslash", "/foo/a%5cb"),
        ("dots and an encoded backslash", "/foo/..%5Cx"),
        ("an encoded NUL", "/foo/x%00"),
        ("an encoded CR and LF", "/foo/x%0d%0aX:%20a"),
        ("an encoded LF", "/foo/x%0A"),
        ("an encoded tab", "/foo/x%09"),
        ("an encoded DEL", "/foo/x%7f"),
        ("a percent sign at the end", "/foo/x%"),
        ("one digit at the end", "/foo/x%4"),
        ("a letter that is no digit", "/foo/x%4g"),
        ("two letters that are no digits", "/foo/%zz"),
        ("an encoding of 16 bits", "/foo/%u002e%u002e/x"),
        ("two percent signs", "/foo/%%2e%2e"),
        ("a sign as a digit", "/foo/x%+2"),
    ];
    check(paths.map(|(what, path)| (what, get(path), Answered(400)))).await;
}

#[tokio::test]
async fn services_are_compared_byte_by_byte() {
    let paths = [
        ("an encoded letter", "/%66oo/x"),
        ("upper case", "/Foo/x"),
        ("a parameter", "/foo;a/x"),
        ("an encoded space after", "/foo%20/x"),
        ("a dot after", "/foo./x"),
        ("an empty segment before", "//foo/x"),
        ("two dots before", "/../foo/x"),
        ("one dot before", "/./foo/x"),
        ("encoded dots before", "/%2e%2e/foo/x"),
        ("an encoded slash before", "/%2ffoo/x"),
        ("a backslash after", "/foo\\x"),
    ];
    check(paths.map(|(what, path)| (what, get(path), Answered(404)))).await;
}

#[tokio::test]
async fn all_other_paths_are_forwarded_byte_for_byte() {
    let paths = [
        ("three dots", "/foo/.../x", "GET /.../x HTTP/1.1"),
        ("dots before a name", "/foo/..x/.y", "GET /..x/.y HTTP/1.1"),
        ("dots after a name", "/foo/x../y.", "GET /x../y. HTTP/1.1"),
        ("dots encoded once more", "/foo/%252e%252e/x", "GET /%252e%252e/x HTTP/1.1"),
        ("a slash encoded once more", "/foo/a%252fb", "GET /a%252fb HTTP/1.1"),
        ("an encoded letter", "/foo/%41%62", "GET /%41%62 HTTP/1.1"),
        ("digits of both cases", "/foo/%c3%BC", "GET /%c3%BC HTTP/1.1"),
        ("bytes that are no UTF-8", "/foo/%ff%fe", "GET /%ff%fe HTTP/1.1"),
        ("empty segments", "/foo//x///", "GET //x/// HTTP/1.1"),
        ("a path that begins with a host", "/foo//b/x", "GET //b/x HTTP/1.1"),
        ("a parameter", "/foo/x;a=b;c/y", "GET /x;a=b;c/y HTTP/1.1"),
        ("a parameter alone", "/foo/;a/x", "GET /;a/x HTTP/1.1"),
        ("reserved characters", "/foo/:@!$&'()*+,=~", "GET /:@!$&'()*+,=~ HTTP/1.1"),
        ("dots in the query", "/foo/x?a=/../b", "GET /x?a=/../b HTTP/1.1"),
        ("encoded slashes in the query", "/foo/x?a=%2f%5c%00", "GET /x?a=%2f%5c%00 HTTP/1.1"),
        ("a broken percent sign in the query", "/foo/x?a=%zz%", "GET /x?a=%zz% HTTP/1.1"),
        ("a query of the service alone", "/foo?a/../b", "GET /?a/../b HTTP/1.1"),
    ];
    check(paths.map(|(what, path, line)| (what, get(path), Forwarded((line, "", ""))))).await;
}
