//! The arguments of `#[service]` and `#[expose_method]` as they are written.

use proc_macro2::{Ident, Punct, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Expr, ExprCall};

use super::model::{Auth, CacheScope, Idempotency, Verb};
use crate::attr::{Args, ArgumentValue, Attribute, arg, nearest};
use crate::effect::{EFFECTS, Effect};
use crate::errors::Errors;
use crate::helper;
use crate::literal::{self, Millis, Money, Quota};

static SERVICE: Attribute = Attribute {
    label: "#[service]",
    arguments: &[
        arg("name", "name = \"currency\""),
        arg("version", "version = 1"),
        arg("title", "title = \"Currency exchange\""),
        arg("strategy", "strategy = Cheapest"),
        arg("auth", "auth = required"),
        arg("scopes", "scopes(\"rates:read\")"),
    ],
    elsewhere: &[("description", DOC_COMMENT)],
};

static EXPOSE_METHOD: Attribute = Attribute {
    label: "#[expose_method]",
    arguments: &[
        arg("name", "name = \"latest\""),
        arg("title", "title = \"Latest rates\""),
        arg("effect", "effect = read"),
        arg("price", "price = \"0.001 USD\""),
        arg("cache", "cache = \"60s\""),
        arg("cache_scope", "cache_scope = global"),
        arg("quota", "quota = \"100/min\""),
        arg("idempotency", "idempotency = required"),
        arg("auth", "auth = required"),
        arg("scopes", "scopes(\"rates:read\")"),
        arg("errors", "errors(SOLD_OUT)"),
        arg("strategy", "strategy = Cheapest"),
        arg("timeout", "timeout = \"5s\""),
        arg("webhook", WEBHOOK),
        arg("deprecated", "deprecated"),
    ],
    elsewhere: &[
        ("description", DOC_COMMENT),
        ("GET", ONE_VERB),
        ("POST", ONE_VERB),
        ("PUT", ONE_VERB),
        ("PATCH", ONE_VERB),
        ("DELETE", ONE_VERB),
        ("version", "a version is the service's: `#[service(version = 2)]` on the struct"),
        (
            "cost",
            "what a call costs us is the provider's: `#[provide_method(cost = \"0.0002 USD\")]`; \
             `price` is what a \
                  caller pays",
        ),
    ],
};

const DOC_COMMENT: &str = "the doc comment is the description: write `/// …` above";
const ONE_VERB: &str = "a method has one HTTP method; expose another method for this one";
const WEBHOOK: &str = "webhook = HmacSha256(\"FIXER_WEBHOOK_SECRET\")";

const AUTH: &[(&str, Auth)] =
    &[("required", Auth::Required), ("optional", Auth::Optional), ("none", Auth::None)];

/// The arguments of `#[service(…)]` on a struct, as written.
pub(super) struct ServiceArgs {
    pub(super) name: Option<ArgumentValue<String>>,
    pub(super) version: Option<ArgumentValue<u32>>,
    pub(super) title: Option<ArgumentValue<String>>,
    pub(super) strategy: Option<ArgumentValue<Expr>>,
    pub(super) auth: Option<ArgumentValue<Auth>>,
    pub(super) scopes: Option<ArgumentValue<Vec<String>>>,
}

/// The arguments of `#[expose_method(…)]` on a method, as written.
pub(super) struct MethodArgs {
    /// The HTTP method; `None` if it is invalid or missing.
    pub(super) verb: Option<ArgumentValue<Verb>>,
    pub(super) name: Option<ArgumentValue<String>>,
    pub(super) title: Option<ArgumentValue<String>>,
    pub(super) effect: Option<ArgumentValue<Effect>>,
    pub(super) price: Option<ArgumentValue<Money>>,
    pub(super) cache: Option<ArgumentValue<Millis>>,
    /// Whether `cache` is present, valid or not.
    pub(super) caches: bool,
    pub(super) cache_scope: Option<ArgumentValue<CacheScope>>,
    pub(super) quota: Option<ArgumentValue<Quota>>,
    pub(super) idempotency: Option<ArgumentValue<Idempotency>>,
    pub(super) auth: Option<ArgumentValue<Auth>>,
    pub(super) scopes: Option<ArgumentValue<Vec<String>>>,
    /// The paths of the author's own error codes.
    pub(super) errors: Option<ArgumentValue<Vec<syn::Path>>>,
    pub(super) strategy: Option<ArgumentValue<Expr>>,
    pub(super) timeout: Option<ArgumentValue<Millis>>,
    /// The name of the secret.
    pub(super) webhook: Option<ArgumentValue<String>>,
    pub(super) deprecated: bool,
}

pub(super) fn service_args(tokens: TokenStream, ident: &Ident, errors: &mut Errors) -> ServiceArgs {
    let mut args = Args::read(&SERVICE, ident.to_token_stream(), tokens, errors);
    ServiceArgs {
        name: args.text("name", literal::name),
        version: args.number("version"),
        title: args.text("title", literal::title),
        strategy: args.expression("strategy"),
        auth: args.choice("auth", AUTH),
        scopes: args.strings("scopes", literal::scope),
    }
}

pub(super) fn method_args(helper: &syn::Attribute, errors: &mut Errors) -> MethodArgs {
    let tokens = helper::arguments(helper).unwrap_or_else(|error| {
        errors.push(error);
        quote!(GET)
    });
    let (verb, rest) = verb(helper, tokens, errors);
    let mut args = Args::read(&EXPOSE_METHOD, helper.path().to_token_stream(), rest, errors);
    let caches = args.has("cache");
    MethodArgs {
        verb,
        caches,
        name: args.text("name", literal::name),
        title: args.text("title", literal::title),
        effect: args.choice("effect", EFFECTS),
        price: args.text("price", literal::money),
        cache: args.text("cache", literal::duration),
        cache_scope: args.choice(
            "cache_scope",
            &[("account", CacheScope::Account), ("global", CacheScope::Global)],
        ),
        quota: args.text("quota", literal::quota),
        idempotency: args.choice(
            "idempotency",
            &[
                ("required", Idempotency::Required),
                ("optional", Idempotency::Optional),
                ("none", Idempotency::None),
            ],
        ),
        auth: args.choice("auth", AUTH),
        scopes: args.strings("scopes", literal::scope),
        errors: args.paths("errors"),
        strategy: args.expression("strategy"),
        timeout: args.text("timeout", literal::duration),
        webhook: webhook(&mut args),
        deprecated: args.flag("deprecated"),
    }
}

/// Parses `webhook = HmacSha256("SECRET_NAME")`.
fn webhook(args: &mut Args<'_>) -> Option<ArgumentValue<String>> {
    let given = args.expression("webhook")?;
    let secret = match &given.value {
        Expr::Call(call) if called(call) == Some("HmacSha256".to_owned()) => {
            match call.args.first() {
                Some(Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }))
                    if call.args.len() == 1 =>
                {
                    Some(name)
                }
                _ => None,
            }
        }
        _ => None,
    };
    let Some(secret) = secret else {
        args.errors.at(
            &given.at,
            "`webhook` says how the sender signs, and which secret it signs with",
            format_args!("write `{WEBHOOK}`"),
        );
        return None;
    };
    match literal::secret_name(&secret.value()) {
        Ok(value) => Some(ArgumentValue { value, at: given.at }),
        Err(wrong) => {
            args.errors.at(secret, wrong.what, wrong.help);
            None
        }
    }
}

fn called(call: &ExprCall) -> Option<String> {
    match &*call.func {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

/// Takes the HTTP method off the front of the arguments.
fn verb(
    helper: &syn::Attribute,
    tokens: TokenStream,
    errors: &mut Errors,
) -> (Option<ArgumentValue<Verb>>, TokenStream) {
    let mut chunks = split_at_commas(tokens);
    let first = chunks.first().and_then(|chunk| chunk.first()).cloned();
    if let Some(verb) = first.as_ref().and_then(verb_named) {
        let chunk = chunks.remove(0);
        if let Some(next) = chunk.get(1) {
            errors.at(
                next,
                format_args!("a comma is missing after `{}`", verb.value.as_str()),
                "write it",
            );
        }
        return (Some(verb), joined(chunks));
    }
    if let Some(late) =
        chunks.iter().position(|chunk| chunk.len() == 1 && verb_named(&chunk[0]).is_some())
    {
        let chunk = chunks.remove(late);
        errors.at(
            &chunk[0],
            "the HTTP method comes first",
            format_args!("write `#[expose_method({}, …)]`", chunk[0]),
        );
        return (verb_named(&chunk[0]), joined(chunks));
    }
    let help = "write it first: `#[expose_method(GET)]`, or POST, PUT, PATCH, DELETE";
    match first {
        Some(word) if chunks[0].len() == 1 && word.to_string() != "deprecated" => {
            chunks.remove(0);
            let meant = word.to_string().trim_matches('"').to_ascii_uppercase();
            let known = Verb::ALL.iter().map(|verb| verb.as_str());
            let help = nearest(&meant, known)
                .map_or(help.to_owned(), |near| format!("write `#[expose_method({near})]`"));
            errors.at(&word, format_args!("`{word}` is no HTTP method that can be exposed"), help);
        }
        _ => errors.at(helper.path(), "`#[expose_method]` names no HTTP method", help),
    }
    (None, joined(chunks))
}

fn verb_named(word: &TokenTree) -> Option<ArgumentValue<Verb>> {
    let value = *Verb::ALL.iter().find(|verb| word.to_string() == verb.as_str())?;
    Some(ArgumentValue { value, at: word.to_token_stream() })
}

fn split_at_commas(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut chunks = vec![Vec::new()];
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => chunks.push(Vec::new()),
            token => {
                if let Some(chunk) = chunks.last_mut() {
                    chunk.push(token);
                }
            }
        }
    }
    chunks
}

fn joined(chunks: Vec<Vec<TokenTree>>) -> TokenStream {
    let comma = || TokenTree::from(Punct::new(',', Spacing::Alone));
    chunks
        .into_iter()
        .filter(|chunk| !chunk.is_empty())
        .flat_map(|chunk| chunk.into_iter().chain([comma()]))
        .collect()
}
