//! What stands for compression in a program that was built without it: a type without values.

use std::convert::Infallible;

use http::Response;

use super::{AcceptEncoding, CompressionSettings};
use crate::{body::Body, http::etag::Known};

/// Compression, of which there is none without the feature `compression`.
#[derive(Debug)]
pub(in crate::http) struct Compression(Infallible);

impl Compression {
    pub(in crate::http) fn new(_: &CompressionSettings) -> Option<Self> {
        None
    }

    pub(in crate::http) fn apply(&self, _: Option<AcceptEncoding>, _: &Known, _: &mut Response<Body>) {
        match self.0 {}
    }
}
