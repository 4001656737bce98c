//! The arguments of `#[provider]`, and of `#[provide_method]` within a provider.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Expr, ExprLit, ExprPath, Lit};

use super::model::Cost;
use crate::attr::{Args, ArgumentValue, Attribute, arg};
use crate::errors::Errors;
use crate::{helper, literal};

static PROVIDER: Attribute = Attribute {
    label: "#[provider]",
    arguments: &[arg("name", "name = \"fixer_io\""), arg("title", "title = \"Fixer.io\"")],
    elsewhere: &[
        ("description", "the doc comment is the description: write `/// …` above"),
        (
            "cost",
            "what a call costs is said of each method: `#[provide_method(cost = \"0.0002 USD\")]` \
             in the impl",
        ),
    ],
};

static PROVIDE_METHOD: Attribute = Attribute {
    label: "#[provide_method]",
    arguments: &[arg("cost", "cost = \"0.0002 USD\"")],
    elsewhere: &[
        (
            "effect",
            "what repeating does is the same for all providers, so the capability says it: \
             `effect` belongs in the trait",
        ),
        (
            "price",
            "what a caller pays is the service's; what the call costs us is `cost = \"0.0002 \
             USD\"`",
        ),
        ("name", "a capability's method is called what its function is called"),
    ],
};

/// The arguments of `#[provider(…)]` on a struct, as written.
pub(super) struct ProviderArgs {
    pub(super) name: Option<ArgumentValue<String>>,
    pub(super) title: Option<ArgumentValue<String>>,
}

pub(super) fn provider_args(
    tokens: TokenStream,
    ident: &Ident,
    errors: &mut Errors,
) -> ProviderArgs {
    let mut args = Args::read(&PROVIDER, ident.to_token_stream(), tokens, errors);
    ProviderArgs {
        name: args.text("name", literal::name),
        title: args.text("title", literal::title),
    }
}

/// Parses the cost of a method, if it declares one.
pub(super) fn cost(helper: &syn::Attribute, errors: &mut Errors) -> Option<Cost> {
    let tokens = helper::arguments(helper).map_err(|error| errors.push(error)).ok()?;
    let mut args = Args::read(&PROVIDE_METHOD, helper.path().to_token_stream(), tokens, errors);
    let given = args.expression("cost")?;
    match given.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => match literal::money(&text.value()) {
            Ok(value) => Some(Cost::Fixed(ArgumentValue { value, at: text.to_token_stream() })),
            Err(wrong) => {
                args.errors.at(text, wrong.what, wrong.help);
                None
            }
        },
        Expr::Path(ExprPath { qself: None, path, .. }) => Some(Cost::Computed(path)),
        _ => {
            args.errors.at(
                given.at,
                "`cost` is an amount of money or a function",
                "write `cost = \"0.0002 USD\"`, or `cost = cost_of` with `fn cost_of(…) -> Money` \
                 of the method's arguments",
            );
            None
        }
    }
}
