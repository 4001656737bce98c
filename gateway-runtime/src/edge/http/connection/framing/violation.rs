//! The ways in which a request violates RFC 9112.

/// A violation of HTTP/1.1, by which a request could be read in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A line of the head ends in something else than CR and LF.
    LineEnd,
    /// The first line is of another protocol: it has neither a path nor a version of HTTP. It gets
    /// no response, which only HTTP could read.
    NotHttp,
    /// The request line is not three words.
    RequestLine,
    /// The request target has a fragment, or a byte that no target has.
    Target,
    /// The version is neither HTTP/1.0 nor HTTP/1.1.
    Version,
    /// A line is no field.
    Field,
    /// `Content-Length` is not one number.
    Length,
    /// The request has a length and a transfer coding.
    LengthAndCoding,
    /// A request of HTTP/1.0 has a transfer coding.
    OldCoding,
    /// The size of a chunk, its extensions, or its end.
    Chunk,
    /// A trailer is no field, or the trailers exceed the limits.
    Trailer,
}

impl Violation {
    /// Returns the sentence that the client reads.
    #[must_use]
    pub fn detail(self) -> &'static str {
        match self {
            Self::LineEnd => "a line of the request head does not end in CR and LF",
            Self::NotHttp | Self::RequestLine => "the request line is not `METHOD target HTTP/1.1`",
            Self::Target => {
                "the request target is not valid; encode spaces and other special bytes, and send \
                 no fragment"
            }
            Self::Version => "the HTTP version is not supported; use HTTP/1.1 or HTTP/2",
            Self::Field => {
                "a header field is not `name: value` in one line, without spaces before the colon \
                 and without control bytes"
            }
            Self::Length => "`Content-Length` is not one decimal number; send it once",
            Self::LengthAndCoding => {
                "`Content-Length` stands beside `Transfer-Encoding`; send one of them"
            }
            Self::OldCoding => "HTTP/1.0 has no `Transfer-Encoding`; use HTTP/1.1",
            Self::Chunk => "a chunk of the request body is malformed",
            Self::Trailer => "the trailers of the request body are malformed or too large",
        }
    }
}
