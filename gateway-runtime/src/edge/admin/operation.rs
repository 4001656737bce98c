//! An operation of the admin API: its path, its input and output, and the function that executes
//! it.
//!
//! The types of that function are the schemas that validate its input and that `/openapi.json`
//! publishes.

use std::{future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::StatusCode;
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    base::{error::Error, spec::Verb, start_error::StartError},
    edge::admin::{auth::Operator, duplicates, state::AdminState},
    json::{
        document::Document,
        schema::{self, InputSchema, output_schema},
    },
};

/// The request of an operation.
#[derive(Debug)]
pub(super) struct OperationRequest<T> {
    /// The path parameters, in the order of the template.
    pub(super) path_params: Vec<String>,
    /// The operator who sent the request.
    pub(super) operator: Operator,
    /// The unique name of the request; the same when it comes again with the same idempotency key.
    pub(super) name: Arc<str>,
    /// The decoded query or body.
    pub(super) input: T,
}

/// The input of an operation that takes none.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EmptyInput {}

type Answering = Pin<Box<dyn Future<Output = Result<Bytes, Error>> + Send>>;
type Execute = Box<
    dyn Fn(Arc<AdminState>, OperationRequest<Document>) -> Result<Answering, Error> + Send + Sync,
>;

/// An operation of the admin API.
pub(super) struct Operation {
    pub(super) verb: Verb,
    /// The path template; `{…}` matches any segment.
    pub(super) path: &'static str,
    /// The summary, in one line.
    pub(super) title: &'static str,
    /// The status of a success.
    pub(super) status: StatusCode,
    /// Whether the operation creates something, and so honours idempotency keys.
    pub(super) creates: bool,
    pub(super) input: InputSchema,
    /// The schema of the reply; none for no content.
    pub(super) output: Option<Value>,
    execute: Execute,
}

impl Operation {
    /// Creates an operation that `function` executes.
    ///
    /// # Errors
    ///
    /// Fails if the schema of the input cannot be enforced.
    pub(super) fn new<I, O, F, R>(
        verb: Verb,
        path: &'static str,
        title: &'static str,
        function: F,
    ) -> Result<Self, StartError>
    where
        I: DeserializeOwned + JsonSchema,
        O: Serialize + JsonSchema,
        F: Fn(Arc<AdminState>, OperationRequest<I>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<O, Error>> + Send + 'static,
    {
        let input = InputSchema::of::<I>().map_err(|error| StartError::new(error.to_string()))?;
        let execute =
            move |state, request: OperationRequest<Document>| -> Result<Answering, Error> {
                let OperationRequest { path_params, operator, name, input } = request;
                let input = schema::decode(&input).map_err(Error::invalid)?;
                let request = OperationRequest { path_params, operator, name, input };
                let reply = function(state, request);
                Ok(Box::pin(async move { Ok(serde_json::to_vec(&reply.await?)?.into()) }))
            };
        Ok(Self {
            verb,
            path,
            title,
            status: StatusCode::OK,
            creates: false,
            input,
            output: Some(output_schema::<O>()),
            execute: Box::new(execute),
        })
    }

    /// Makes the operation honour idempotency keys and reply with 201.
    pub(super) fn creates(mut self) -> Self {
        (self.creates, self.status) = (true, StatusCode::CREATED);
        self
    }

    /// Makes the operation reply with 204 and no content.
    pub(super) fn no_content(mut self) -> Self {
        (self.output, self.status) = (None, StatusCode::NO_CONTENT);
        self
    }

    /// Returns the path parameters in `path`, percent-decoded; none if the path does not match.
    pub(super) fn path_params(&self, path: &str) -> Option<Vec<String>> {
        let mut actual = path.split('/');
        let mut found = Vec::new();
        for segment in self.path.split('/') {
            let actual_segment = actual.next()?;
            if segment.starts_with('{') {
                let text = percent_decode_str(actual_segment).decode_utf8().ok()?;
                // PostgreSQL stores no NUL in texts, so no name holds one.
                found.push(
                    Some(text.into_owned())
                        .filter(|text| !text.is_empty() && !text.contains('\0'))?,
                );
            } else if segment != actual_segment {
                return None;
            }
        }
        actual.next().is_none().then_some(found)
    }

    /// Parses and validates the query or the body of a request.
    ///
    /// # Errors
    ///
    /// `invalid-request`, with every violation.
    pub(super) fn judge(&self, query: &str, body: Bytes) -> Result<Document, Error> {
        if self.verb.has_query_input() {
            return self.input.parse_query(query).map_err(Error::invalid);
        }
        duplicates::refuse(&body)?;
        self.input.parse_json(body).map_err(Error::invalid)
    }

    /// Executes one request.
    ///
    /// # Errors
    ///
    /// The error of the operation.
    pub(super) async fn execute(
        &self,
        state: Arc<AdminState>,
        request: OperationRequest<Document>,
    ) -> Result<Bytes, Error> {
        let reply = (self.execute)(state, request)?.await?;
        Ok(if self.output.is_some() { reply } else { Bytes::new() })
    }
}
