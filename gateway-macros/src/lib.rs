//! Attribute macros of the gateway SDK. Authors reach them through `gateway_runtime`.
//!
//! Each macro runs `parse → model → check → expand`; this file holds the entry points only.

mod attr;
mod boxed;
mod capability;
mod cfg;
mod derive;
mod effect;
mod errors;
mod helper;
mod item;
mod literal;
mod migrations;
mod model_attr;
mod naming;
mod paths;
mod provider;
mod service;
mod signature;
mod source;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Declares a service: its identity on a struct, its methods on impl blocks of the struct.
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
/// | `name = "calculator"` | the struct's name in snake case | in addresses; see below |
/// | `version = 1` | 1 | in addresses, from 1 |
/// | `title = "Calculator"` | from the struct's name | for people |
/// | `strategy = Cheapest` | `RoundRobin` | the order in which providers are tried |
/// | `auth = required` | the gateway's | authentication: `required`, `optional`, `none` |
/// | `scopes("a", "b")` | none | scopes that a caller must have |
///
/// A name is a letter, then at most 63 of a-z, 0-9, `_`, `-`. A strategy is a type with `Default`,
/// or any expression.
///
/// The value is built once, at start; the type of each field implements `FromApp`. The macro also
/// generates the typed client `CalculatorClient` beside the struct `Calculator`;
/// `Calculator::client(Http::to("http://…"))` creates one.
///
/// # On an impl block
///
/// The attribute takes no arguments and collects the methods with [`macro@expose_method`]. A
/// service may have several such blocks.
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
/// The method is `async`, takes `&self`, and returns a `Result`. The type of an argument tells its
/// kind. At most one is the input, which comes from the query string of a GET or DELETE and from
/// the JSON body of the others (SEMANTICS §1). The types of the others implement `FromCall`:
/// `Call`, `Caller`, pools of providers, an author's own.
///
/// The HTTP method comes first: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`. After it:
///
/// | argument | default | |
/// |---|---|---|
/// | `name = "latest"` | the function's name | in addresses, with the same rule as a service's |
/// | `title = "Latest rates"` | from the function's name | for people |
/// | `effect = read` | by the HTTP method | the effect of repeating (SEMANTICS §3) |
/// | `price = "0.001 USD"` | none | the price that the account pays |
/// | `cache = "60s"` | not cached | how long a cached reply is fresh; `read` only |
/// | `cache_scope = global` | `account` | the callers who share a cached reply |
/// | `quota = "100/min"` | none | calls in each `s`, `min`, `h` or `day` |
/// | `idempotency = required` | `optional`, `none` for `read` | `required`, `optional`, `none` |
/// | `auth = required` | the service's | authentication: `required`, `optional`, `none` |
/// | `scopes("a", "b")` | none | scopes that a caller must have besides the service's |
/// | `errors(SOLD_OUT)` | none | the author's own error codes that the method fails with |
/// | `strategy = Cheapest` | the service's | the order in which providers are tried |
/// | `timeout = "5s"` | the gateway's | for the whole call |
/// | `webhook = HmacSha256("NAME")` | no webhook | POST only: how the sender signs |
/// | `deprecated` | no | as Rust's own `#[deprecated]` |
///
/// The default effect is `read` for GET, `idempotent` for PUT and DELETE, else `once`. A price has
/// at most nine decimals and an ISO 4217 currency. `idempotency` says whether a call must
/// have an idempotency key (SEMANTICS §5). The error codes are published, and explained at
/// their address. `NAME` in `webhook` is the name of a secret, never the secret. Durations are
/// whole numbers with `ms`, `s`, `min` (or `m`), `h` or `d`.
#[proc_macro_attribute]
pub fn expose_method(args: TokenStream, item: TokenStream) -> TokenStream {
    helper::expand(&helper::EXPOSE_METHOD, &args.into(), item.into()).into()
}

/// Declares a capability: a trait for that which several providers can do. The pool of the
/// providers implements it too.
///
/// ```
/// use gateway_runtime::{ProviderError, capability, model, provide_method};
///
/// #[model]
/// struct Query {
///     base: String,
/// }
///
/// /// A source of exchange rates.
/// #[capability]
/// trait RateSource {
///     /// The rate of a currency in euros.
///     #[provide_method(effect = read)]
///     async fn rate(&self, query: &Query) -> Result<f64, ProviderError>;
/// }
/// # fn main() {}
/// ```
///
/// A method of a service with an argument `Providers<dyn RateSource>` receives the pool. Calling
/// `rate` on it calls one provider and, where effect and outcome allow it, the next (SEMANTICS §3).
///
/// Each method is `async`, takes `&self`, has `#[provide_method(effect = …)]` and returns a
/// `Result` with a `ProviderError`. Every attempt borrows the arguments taken by reference;
/// arguments taken by value are cloned for each attempt. Providers may leave out a method that has
/// a body.
#[proc_macro_attribute]
pub fn capability(args: TokenStream, item: TokenStream) -> TokenStream {
    cfg::first("capability", args.into(), item.into(), capability::expand).into()
}

/// Declares a provider: its identity on a struct, its methods on the impl of a capability.
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
/// | `name = "fixed"` | the struct's name in snake case | in configuration, log and `/meta` |
/// | `title = "Fixed rates"` | from the struct's name | for people |
///
/// The value is built once, at start; the type of each field implements `FromApp`.
///
/// # On the impl of a capability
///
/// The attribute takes no arguments. The methods are `async fn`s as in the trait;
/// `#[provide_method(cost = …)]` declares what a call costs us, and is optional.
#[proc_macro_attribute]
pub fn provider(args: TokenStream, item: TokenStream) -> TokenStream {
    cfg::first("provider", args.into(), item.into(), provider::expand).into()
}

/// Declares the effect of a method of a [`macro@capability`] (SEMANTICS §3), or the cost of a
/// method of a [`macro@provider`].
///
/// | in | argument | |
/// |---|---|---|
/// | a capability | `effect = read` | nothing changes |
/// | | `effect = idempotent` | repeating changes nothing more |
/// | | `effect = keyed` | the provider de-duplicates by a key that we send |
/// | | `effect = once` | repeating executes it again |
/// | a provider | `cost = "0.0002 USD"` | the same for each call |
/// | | `cost = cost_of` | a function of the arguments, returning `Money` |
///
/// The function sees the arguments that the method takes by reference, except `&str` and slices.
#[proc_macro_attribute]
pub fn provide_method(args: TokenStream, item: TokenStream) -> TokenStream {
    helper::expand(&helper::PROVIDE_METHOD, &args.into(), item.into()).into()
}

/// Declares a type that goes over the wire: an input or a reply.
///
/// The attribute derives `Debug`, `Clone`, serde's `Serialize` and `Deserialize`, and schemars'
/// `JsonSchema`, each unless it is derived already. Neither crate has to be among the author's
/// dependencies. `#[serde(…)]` and `#[schemars(…)]` work as usual. Write the attribute above
/// `#[derive(…)]`: it does not see derives above itself.
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
    cfg::first("model", args.into(), item.into(), |args, item| model_attr::expand(&args, item))
        .into()
}

/// Derives `FromApp` for a type that services and providers can have as a field. Its own fields are
/// of such types too.
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
    derive::from_app(item.into()).into()
}

/// Derives `FromCall` for a type that exposed methods can have as an argument. Its fields are of
/// types that could be arguments themselves; one of them may be the input of the method.
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
    derive::from_call(item.into()).into()
}

/// Embeds a folder of migrations into the program, for `Gateway::migrations`. The owner of the
/// migrations is the package.
///
/// `migrations!("migrations")` reads the folder of that name beside `Cargo.toml`; `migrations!()`
/// is the same. Each migration is two files: `0001_guests.up.sql` and `0001_guests.down.sql`. The
/// files are for SQLite and PostgreSQL alike, or stand in the folders `sqlite` and `postgres`
/// within it. Cargo rebuilds when a file changes; for new files too, let a `build.rs` print
/// `cargo:rerun-if-changed=migrations`.
#[proc_macro]
pub fn migrations(folder: TokenStream) -> TokenStream {
    migrations::expand(folder.into()).into()
}
