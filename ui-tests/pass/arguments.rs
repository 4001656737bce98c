//! Every argument of `#[service]` and `#[expose_method]`, and its meaning.

use gateway_runtime::{ProviderError, Providers, capability, provider};
use gateway_runtime::{
    Result, Streaming, expose_method, model, provide_method, service, strategy::RoundRobin,
};

/// A query.
#[model]
pub struct Query {
    /// A word.
    pub word: String,
}

/// What is written on the struct.
///
/// In two paragraphs.
#[service(
    name = "every-argument",
    version = 7,
    title = "Every argument",
    strategy = RoundRobin,
    auth = required,
    scopes("all", "all:read"),
)]
pub struct Everything;

/// Something with a provider.
#[capability]
pub trait Echo {
    /// Says it again.
    #[provide_method(effect = keyed)]
    async fn echo(&self, query: &Query) -> Result<String, ProviderError>;
}

/// The only one.
#[provider(name = "parrot", title = "A parrot")]
pub struct Parrot;

#[provider]
impl Echo for Parrot {
    #[provide_method(cost = "0.5 EUR")]
    async fn echo(&self, query: &Query) -> Result<String, ProviderError> {
        Ok(query.word.clone())
    }
}

#[service]
impl Everything {
    /// Reads.
    #[expose_method(
        GET,
        name = "read-it",
        title = "Read it",
        effect = read,
        price = "0.001 USD",
        cache = "5min",
        cache_scope = global,
        quota = "100/min",
        idempotency = none,
        auth = required,
        scopes("read"),
        strategy = RoundRobin::new(),
        timeout = "500ms",
        deprecated
    )]
    async fn read(&self, query: Query, echo: Providers<dyn Echo>) -> Result<String> {
        Ok(echo.echo(&query).await?)
    }

    #[expose_method(PUT, idempotency = required, effect = keyed)]
    async fn put(&self, query: Query) -> Result<Query> {
        Ok(query)
    }

    #[expose_method(PATCH, effect = idempotent)]
    async fn patch(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(DELETE, quota = "1/day")]
    async fn delete(&self, query: Query) -> Result<Query> {
        Ok(query)
    }

    #[expose_method(POST, webhook = HmacSha256("PARROT_SECRET"))]
    async fn said(&self, event: Query) -> Result<()> {
        drop(event);
        Ok(())
    }

    #[expose_method(POST, effect = read, cache = "1d")]
    async fn search(&self, query: Vec<Query>) -> Result<Option<Query>> {
        Ok(query.into_iter().next())
    }

    #[expose_method(GET)]
    async fn ticks(&self, query: Query) -> Result<Streaming<Query>> {
        Err(gateway_runtime::Error::not_found(query.word))
    }
}
