//! Attribute macros of the gateway SDK. Authors reach them through `gateway_runtime`.
//!
//! Each macro goes `parse → model → check → expand`; only entry points are here.

mod attr;
mod boxed;
mod capability;
mod cfg;
mod effect;
mod errors;
mod inert;
mod inject;
mod item;
mod literal;
mod migrations;
mod paths;
mod provider;
mod schema_model;
mod service;
mod signature;
mod source;
#[cfg(test)]
mod tests;
mod text;

use proc_macro::TokenStream;

/// A service: on a struct who it is, on its impl blocks what it can do.
///
/// ```
/// use gateway_runtime::{Result, expose_method, model, service};
///
/// #[model]
/// struct Sum {
///     numbers: Vec<u32>,
/// }
///
/// /// Adds.                                                  // the description of the service
/// #[service(name = "calculator", version = 1)]
/// struct Calculator;
///
/// #[service]
/// impl Calculator {
///     /// The sum of numbers.                                // the description of the method
///     #[expose_method(POST)]
///     async fn add(&self, sum: Sum) -> Result<u32> {
///         Ok(sum.numbers.iter().sum())
///     }
/// }
/// # fn main() {}
/// ```
///
/// # On a struct
///
/// | argument | default | |
/// |---|---|---|
/// | `name = "calculator"` | the struct's name in snake case | in addresses: a letter, then at most 63 of a-z, 0-9, `_`, `-` |
/// | `version = 1` | 1 | in addresses, from 1 |
/// | `title = "Calculator"` | from the struct's name | for people |
/// | `strategy = Cheapest` | `RoundRobin` | the order in which providers are asked: a type with `Default`, or any expression |
/// | `auth = required` | the gateway's | must a caller be known: `required`, `optional`, `none` |
/// | `scopes("a", "b")` | none | what a caller must hold |
///
/// The value is built once, at start: each field's type is one with `FromApp`. Beside the struct `Calculator` stands its
/// typed client, `CalculatorClient`; `Calculator::client(Http::to("http://…"))` makes one.
///
/// # On an impl block
///
/// It takes no arguments and collects the methods with [`macro@expose_method`]. A service may have several such blocks.
#[proc_macro_attribute]
pub fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    cfg::first("service", args.into(), item.into(), service::expand).into()
}

/// Exposes a method of a `#[service] impl`, at `{METHOD} /services/{service}/v{version}/{method}`.
///
/// ```
/// # use gateway_runtime::{Error, Result, expose_method, model, service};
/// # #[model] struct Query { base: String }
/// # #[model] struct Rates { base: String }
/// # #[service] struct Currency;
/// # #[service]
/// # impl Currency {
/// /// Latest rates for a base currency.
/// #[expose_method(GET, price = "0.001 USD", cache = "60s", quota = "100/min")]
/// async fn rates(&self, query: Query) -> Result<Rates> {
///     Err(Error::not_found(query.base))
/// }
/// # }
/// # fn main() {}
/// ```
///
/// The method is `async`, takes `&self`, and returns a `Result`. Its arguments are told apart by their types: at most one
/// input, which comes from the query string of a GET or DELETE and from the JSON body of the others, and what has
/// `FromCall`: `Call`, `Caller`, pools of providers, an author's own.
///
/// The HTTP method comes first: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`. After it:
///
/// | argument | default | |
/// |---|---|---|
/// | `name = "latest"` | the function's name | in addresses, as of a service |
/// | `title = "Latest rates"` | from the function's name | for people |
/// | `effect = read` | `read` for GET, `idempotent` for PUT and DELETE, else `once` | what repeating does |
/// | `price = "0.001 USD"` | none | what the caller pays: at most nine decimals, and an ISO 4217 currency |
/// | `cache = "60s"` | not cached | how long an answer may be given again; `read` only |
/// | `cache_scope = global` | `account` | for whom a cached answer is good |
/// | `quota = "100/min"` | none | calls in each `s`, `min`, `h` or `day` |
/// | `idempotency = required` | `optional`; `none` for `read` | must a call have a key: `required`, `optional`, `none` |
/// | `auth = required` | the service's | must a caller be known: `required`, `optional`, `none` |
/// | `scopes("a", "b")` | none | what a caller must hold, besides the service's |
/// | `errors(SOLD_OUT)` | none | the author's own codes that it fails with: published, and explained at their address |
/// | `strategy = Cheapest` | the service's | the order in which providers are asked |
/// | `timeout = "5s"` | the gateway's | for the whole call |
/// | `webhook = HmacSha256("NAME")` | no webhook | POST only: how the sender signs; `NAME` is a secret's, never the secret |
/// | `deprecated` | no | as Rust's own `#[deprecated]` |
///
/// Durations are whole numbers with `ms`, `s`, `min` (or `m`), `h` or `d`.
#[proc_macro_attribute]
pub fn expose_method(args: TokenStream, item: TokenStream) -> TokenStream {
    inert::expand(&inert::EXPOSE_METHOD, &args.into(), item.into()).into()
}

/// What several providers can do: a trait, which a pool of its providers implements too.
///
/// ```
/// use gateway_runtime::{ProviderError, capability, model, provide_method};
///
/// #[model]
/// struct Query {
///     base: String,
/// }
///
/// /// What every source of exchange rates can do.
/// #[capability]
/// trait RateSource {
///     /// The rate of a currency in euros.
///     #[provide_method(effect = read)]
///     async fn rate(&self, query: &Query) -> Result<f64, ProviderError>;
/// }
/// # fn main() {}
/// ```
///
/// A method of a service that asks for `Providers<dyn RateSource>` gets the pool; calling `rate` on it asks one provider,
/// and where effect and outcome allow it, the next.
///
/// Each method is `async`, takes `&self`, has `#[provide_method(effect = …)]` and returns a `Result` with a
/// `ProviderError`. What it takes by reference is lent to every attempt; what it takes by value is cloned for each. A
/// method with a body may be left out by providers.
#[proc_macro_attribute]
pub fn capability(args: TokenStream, item: TokenStream) -> TokenStream {
    cfg::first("capability", args.into(), item.into(), capability::expand).into()
}

/// A provider: on a struct who it is, on its impl of a capability what it can do.
///
/// ```
/// # use gateway_runtime::{ProviderError, capability, model, provide_method, provider};
/// # #[model] struct Query { base: String }
/// # #[capability]
/// # trait RateSource {
/// #     #[provide_method(effect = read)]
/// #     async fn rate(&self, query: &Query) -> Result<f64, ProviderError>;
/// # }
/// /// Rates that never change.
/// #[provider(name = "fixed", title = "Fixed rates")]
/// struct Fixed;
///
/// #[provider]
/// impl RateSource for Fixed {
///     #[provide_method(cost = "0.0002 USD")]
///     async fn rate(&self, query: &Query) -> Result<f64, ProviderError> {
///         Ok(1.0)
///     }
/// }
/// # fn main() {}
/// ```
///
/// # On a struct
///
/// | argument | default | |
/// |---|---|---|
/// | `name = "fixed"` | the struct's name in snake case | in the configuration, the log and `/meta` |
/// | `title = "Fixed rates"` | from the struct's name | for people |
///
/// The value is built once, at start: each field's type is one with `FromApp`.
///
/// # On the impl of a capability
///
/// It takes no arguments. The methods are `async fn`s as in the trait; `#[provide_method(cost = …)]` says what a call
/// costs us, and is optional.
#[proc_macro_attribute]
pub fn provider(args: TokenStream, item: TokenStream) -> TokenStream {
    cfg::first("provider", args.into(), item.into(), provider::expand).into()
}

/// Says what repeating a method of a [`macro@capability`] does, or what a method of a [`macro@provider`] costs.
///
/// | in | argument | |
/// |---|---|---|
/// | a capability | `effect = read` | nothing changes |
/// | | `effect = idempotent` | repeating changes nothing more |
/// | | `effect = keyed` | the provider knows a repetition by a key that we send |
/// | | `effect = once` | repeating does it again |
/// | a provider | `cost = "0.0002 USD"` | the same for each call |
/// | | `cost = cost_of` | a function of the arguments that the method takes by reference, returning `Money`; it does not see `&str` and slices |
#[proc_macro_attribute]
pub fn provide_method(args: TokenStream, item: TokenStream) -> TokenStream {
    inert::expand(&inert::PROVIDE_METHOD, &args.into(), item.into()).into()
}

/// A type that goes over the wire: an input or an answer.
///
/// It derives `Debug`, `Clone`, serde's `Serialize` and `Deserialize`, and schemars' `JsonSchema`, each unless it is
/// derived already, and needs neither crate among the author's dependencies. `#[serde(…)]` and `#[schemars(…)]` work as
/// ever. Write it above `#[derive(…)]`: what stands above it, it does not see.
///
/// ```
/// use gateway_runtime::model;
///
/// #[model]
/// #[derive(PartialEq)]
/// #[serde(deny_unknown_fields)]
/// struct Query {
///     /// A currency, such as EUR.
///     #[schemars(length(equal = 3))]
///     base: String,
/// }
/// ```
#[proc_macro_attribute]
pub fn model(args: TokenStream, item: TokenStream) -> TokenStream {
    cfg::first("model", args.into(), item.into(), |args, item| schema_model::expand(&args, item))
        .into()
}

/// A type that services and providers can have as a field, made of fields of such types.
///
/// ```
/// use gateway_runtime::{Config, FromApp, model};
///
/// #[model]
/// struct Settings {
///     #[serde(default)]
///     base: String,
/// }
///
/// #[derive(FromApp)]
/// struct Tools {
///     settings: Config<Settings>,
/// }
/// ```
#[proc_macro_derive(FromApp)]
pub fn from_app(item: TokenStream) -> TokenStream {
    inject::from_app(item.into()).into()
}

/// A type that exposed methods can have as an argument, made of fields that could be arguments themselves.
///
/// One of them may be the input of the method.
///
/// ```
/// use gateway_runtime::{Call, Caller, FromCall};
///
/// #[derive(FromCall)]
/// struct Context {
///     caller: Caller,
///     call: Call,
/// }
/// ```
#[proc_macro_derive(FromCall)]
pub fn from_call(item: TokenStream) -> TokenStream {
    inject::from_call(item.into()).into()
}

/// A folder of migrations, built into the program, for `Gateway::migrations`. Their owner is the package.
///
/// `migrations!("migrations")` reads the folder of that name beside `Cargo.toml`; `migrations!()` is the same. Each step is two files:
/// `0001_guests.up.sql` and `0001_guests.down.sql`. They are for SQLite and PostgreSQL alike, or stand in the folders `sqlite` and
/// `postgres` within it. Cargo notices that a file has changed; so that it notices new ones too, let a `build.rs` print
/// `cargo:rerun-if-changed=migrations`.
#[proc_macro]
pub fn migrations(folder: TokenStream) -> TokenStream {
    migrations::expand(folder.into()).into()
}
