//! Validation: checks the input against the method's schema, which is the published one.

#[cfg(test)]
mod tests;

use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::{Either, Ready, ready};
use tower::{Layer, Service};

use crate::{
    base::{call::Input, error::Error, reply::Reply},
    json::violation::Violation,
    pipeline::invocation::Invocation,
    service::registry::Method,
};

/// The layer that adds [`Validate`].
#[derive(Clone, Copy, Debug)]
pub(super) struct ValidateLayer;

impl<S> Layer<S> for ValidateLayer {
    type Service = Validate<S>;

    fn layer(&self, inner: S) -> Validate<S> {
        Validate { inner }
    }
}

/// The service that lets calls with a valid input through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validate<S> {
    inner: S,
}

impl<S> Service<Invocation> for Validate<S>
where
    S: Service<Invocation, Response = Reply, Error = Error>,
{
    type Response = Reply;
    type Error = Error;
    type Future = Either<S::Future, Ready<Result<Reply, Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: Invocation) -> Self::Future {
        let input = std::mem::take(&mut invocation.request.input);
        match validate(&invocation.method, input) {
            Ok(input) => {
                invocation.request.input = input;
                Either::Left(self.inner.call(invocation))
            }
            Err(violations) => Either::Right(ready(Err(Error::invalid(violations)))),
        }
    }
}

/// Returns the input as a document that satisfies the schema. A method without an input ignores it.
fn validate(method: &Method, input: Input) -> Result<Input, Vec<Violation>> {
    let Some(declared) = &method.input else { return Ok(Input::None) };
    let schema = &declared.schema;
    let document = match input {
        Input::Json(body) => schema.parse_json(body)?,
        Input::Query(query) => schema.parse_query(&query)?,
        Input::None if method.spec.verb.has_query_input() => schema.parse_query("")?,
        Input::None => schema.parse_json(Bytes::new())?,
        Input::Value(value) => schema.validate(value)?,
        Input::Valid(document) => document,
    };
    Ok(Input::Valid(document))
}
