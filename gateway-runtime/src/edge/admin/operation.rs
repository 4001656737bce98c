//! One call of the API: its address, what it takes and gives, and the function that carries it out.
//!
//! The types of that function are the schemas by which its input is judged and that `/openapi.json` publishes.

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

/// What one request asks for.
#[derive(Debug)]
pub(super) struct OperationRequest<T> {
    /// What stands in the address where the template has braces, in order.
    pub(super) path_params: Vec<String>,
    /// Who asks.
    pub(super) operator: Operator,
    /// Tells this request from all others; the same when it comes again with the same idempotency key.
    pub(super) name: Arc<str>,
    /// The query or the body.
    pub(super) input: T,
}

/// A call that takes nothing.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EmptyInput {}

type Answering = Pin<Box<dyn Future<Output = Result<Bytes, Error>> + Send>>;
type Execute = Box<
    dyn Fn(Arc<AdminState>, OperationRequest<Document>) -> Result<Answering, Error> + Send + Sync,
>;

/// One call of the API.
pub(super) struct Operation {
    pub(super) verb: Verb,
    /// Its address; `{…}` stands for any segment.
    pub(super) path: &'static str,
    /// What it does, in a line.
    pub(super) title: &'static str,
    /// The status when all went well.
    pub(super) status: StatusCode,
    /// Whether it creates something, and so honours idempotency keys.
    pub(super) creates: bool,
    pub(super) input: InputSchema,
    /// The schema of its answer; none for no content.
    pub(super) output: Option<Value>,
    execute: Execute,
}

impl Operation {
    /// The call that `carry_out` carries out.
    ///
    /// # Errors
    ///
    /// When the schema of its input cannot be enforced.
    pub(super) fn new<I, O, F, R>(
        verb: Verb,
        path: &'static str,
        title: &'static str,
        carry_out: F,
    ) -> Result<Self, StartError>
    where
        I: DeserializeOwned + JsonSchema,
        O: Serialize + JsonSchema,
        F: Fn(Arc<AdminState>, OperationRequest<I>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<O, Error>> + Send + 'static,
    {
        let input = InputSchema::of::<I>().map_err(|error| StartError::new(error.to_string()))?;
        let carry_out =
            move |desk, request: OperationRequest<Document>| -> Result<Answering, Error> {
                let OperationRequest { path_params: at, operator, name, input } = request;
                let input = schema::decode(&input).map_err(Error::invalid)?;
                let answer =
                    carry_out(desk, OperationRequest { path_params: at, operator, name, input });
                Ok(Box::pin(async move { Ok(serde_json::to_vec(&answer.await?)?.into()) }))
            };
        Ok(Self {
            verb,
            path,
            title,
            status: StatusCode::OK,
            creates: false,
            input,
            output: Some(output_schema::<O>()),
            execute: Box::new(carry_out),
        })
    }

    /// One that creates something.
    pub(super) fn creates(mut self) -> Self {
        (self.creates, self.status) = (true, StatusCode::CREATED);
        self
    }

    /// One that answers nothing.
    pub(super) fn no_content(mut self) -> Self {
        (self.output, self.status) = (None, StatusCode::NO_CONTENT);
        self
    }

    /// What stands at `path` where the template has braces; none when it is another address.
    pub(super) fn path_params(&self, path: &str) -> Option<Vec<String>> {
        let mut given = path.split('/');
        let mut found = Vec::new();
        for segment in self.path.split('/') {
            let given = given.next()?;
            if segment.starts_with('{') {
                let text = percent_decode_str(given).decode_utf8().ok()?;
                // PostgreSQL has no text with it, so nothing is named so.
                found.push(
                    Some(text.into_owned())
                        .filter(|text| !text.is_empty() && !text.contains('\0'))?,
                );
            } else if segment != given {
                return None;
            }
        }
        given.next().is_none().then_some(found)
    }

    /// Reads and judges what comes with a request.
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

    /// Carries out one request.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(super) async fn execute(
        &self,
        desk: Arc<AdminState>,
        request: OperationRequest<Document>,
    ) -> Result<Bytes, Error> {
        let answer = (self.execute)(desk, request)?.await?;
        Ok(if self.output.is_some() { answer } else { Bytes::new() })
    }
}
