//! `/docs`: a page that lists the methods and calls them, from files built into the binary.
//!
//! The page is Swagger UI; `assets/docs/README.md` states its version, and how to update it. It
//! works without internet access and behind a path prefix: every address in it is relative, and its
//! policy forbids all other origins.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::{
    base::error::{Code, Error, Result},
    edge::http::{
        compression::{AcceptEncoding, Coding},
        etag,
    },
};

/// The content security policy: no origin but our own, no inline script, no `eval`. Pictures in the
/// style sheet are `data:` URLs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// A file of the page. The big ones are stored and sent gzipped.
struct File {
    path: &'static str,
    media_type: &'static str,
    gzipped: bool,
    content: &'static [u8],
}

/// Includes the content of a file of `assets/docs/`.
macro_rules! asset {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/docs/", $name))
    };
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
static FILES: [File; 6] = [
    File {
        path: "/docs",
        media_type: "text/html; charset=utf-8",
        gzipped: false,
        content: asset!("index.html"),
    },
    File {
        path: "/docs/examples.js",
        media_type: JAVASCRIPT,
        gzipped: false,
        content: asset!("examples.js"),
    },
    File {
        path: "/docs/start.js",
        media_type: JAVASCRIPT,
        gzipped: false,
        content: asset!("start.js"),
    },
    File {
        path: "/docs/swagger-ui-bundle.js",
        media_type: JAVASCRIPT,
        gzipped: true,
        content: asset!("swagger-ui-bundle.js.gz"),
    },
    File {
        path: "/docs/swagger-ui.css",
        media_type: "text/css; charset=utf-8",
        gzipped: true,
        content: asset!("swagger-ui.css.gz"),
    },
    File {
        path: "/docs/licences.txt",
        media_type: "text/plain; charset=utf-8",
        gzipped: false,
        content: asset!("licences.txt"),
    },
];

/// The entity tags, parallel to [`FILES`]; hashed once, at the first request.
static TAGS: LazyLock<[HeaderValue; FILES.len()]> =
    LazyLock::new(|| std::array::from_fn(|at| etag::of(FILES[at].content)));

/// Responds to a GET or HEAD of `/docs` and of the files below it, with an entity tag.
///
/// # Errors
///
/// `not-found` for unknown files. `not-acceptable` for a client that refuses gzip, if the file is
/// only stored gzipped: no browser does, and without `Accept-Encoding` every coding is acceptable
/// (RFC 9110 §12.5.3).
pub(crate) fn serve(path: &str, request: &HeaderMap) -> Result<Response<Bytes>> {
    if path == "/docs/" {
        return Ok(moved("../docs"));
    }
    let Some(at) = FILES.iter().position(|file| file.path == path) else {
        return Err(Error::new(Code::NOT_FOUND, "not found; the page is at /docs"));
    };
    let (file, tag) = (&FILES[at], &TAGS[at]);
    if file.gzipped && refuses_gzip(request) {
        return Err(Error::new(
            Code::NOT_ACCEPTABLE,
            "the file is available only gzipped; allow gzip in `Accept-Encoding`",
        ));
    }

    let mut response = Response::new(Bytes::from_static(file.content));
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    // Browsers store the page and revalidate it each time: after an upgrade, the gateway must not
    // show the old page.
    set(header::CACHE_CONTROL, "no-cache");
    if file.gzipped {
        set(header::VARY, "accept-encoding");
    }
    headers.insert(header::ETAG, tag.clone());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.media_type));
    if file.gzipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// Responds to a GET of `/`: redirects browsers to the page, and sends all others the list of
/// documents.
pub(crate) fn front(_: &str, request: &HeaderMap) -> Result<Response<Bytes>> {
    let accepts = request.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let is_browser =
        accepts.flat_map(|line| line.split(',')).any(|range| range.trim().starts_with("text/html"));
    let mut response = if is_browser {
        let mut response = moved("docs");
        // Not permanent: a later configuration may mount a service at `/`.
        *response.status_mut() = StatusCode::SEE_OTHER;
        response
    } else {
        let mut response = Response::new(Bytes::from_static(FRONT.as_bytes()));
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, text);
        response
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

const FRONT: &str = "\
This is a gateway. Its documents:

  /docs           for people
  /openapi.json   OpenAPI 3.1
  /asyncapi.json  AsyncAPI 3.0
  /meta           all of it, with prices, terms and the health of providers
";

/// Returns a permanent redirect. The addresses in the page are relative to `/docs`, so the page is
/// served at no other path.
fn moved(to: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(to));
    response
}

/// Returns whether `Accept-Encoding` is present and excludes gzip, by a weight of 0 or by not
/// naming it (RFC 9110 §12.5.3).
fn refuses_gzip(request: &HeaderMap) -> bool {
    AcceptEncoding::of(request).is_some_and(|accepted| accepted.weight(Coding::Gzip) == 0)
}
