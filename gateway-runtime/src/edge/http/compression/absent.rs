//! A substitute for compression in a program that was built without it: a type without values.

use std::convert::Infallible;

use http::Response;

use crate::{
    base::body::Body,
    edge::http::{
        compression::{AcceptEncoding, CompressionSettings},
        etag::KnownTags,
    },
};

/// Compression that never exists, since the feature `compression` is off.
#[derive(Debug)]
pub(in crate::edge::http) struct Compression(Infallible);

impl Compression {
    /// Returns `None`.
    pub(in crate::edge::http) fn new(_: &CompressionSettings) -> Option<Self> {
        None
    }

    pub(in crate::edge::http) fn apply(
        &self,
        _: Option<AcceptEncoding>,
        _: &KnownTags,
        _: &mut Response<Body>,
    ) {
        match self.0 {}
    }
}
