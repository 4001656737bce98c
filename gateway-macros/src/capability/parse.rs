//! The arguments of `#[capability]`, and of `#[provide_method]` within a capability.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::attr::{Args, Attribute, arg};
use crate::effect::{EFFECTS, Effect};
use crate::errors::Errors;
use crate::helper;

static CAPABILITY: Attribute = Attribute {
    label: "#[capability]",
    arguments: &[],
    elsewhere: &[
        ("name", "a capability is called what its trait is called"),
        ("title", "a capability is called what its trait is called"),
        ("description", "the doc comment is the description: write `/// …` above"),
    ],
};

static PROVIDE_METHOD: Attribute = Attribute {
    label: "#[provide_method]",
    arguments: &[arg("effect", "effect = read")],
    elsewhere: &[
        (
            "cost",
            "what a call costs differs from provider to provider: write it in the `#[provider] \
             impl`",
        ),
        (
            "price",
            "what a caller pays is the service's: `#[expose_method(GET, price = \"0.001 USD\")]`",
        ),
        ("name", "a capability's method is called what its function is called"),
        ("description", "the doc comment is the description: write `/// …` above"),
    ],
};

/// The help text for a missing effect.
pub(super) const SAY_EFFECT: &str = "write `#[provide_method(effect = …)]` with `read` (changes \
                                     nothing), `idempotent` (repeating \
     changes nothing more), `keyed` (the provider knows a repetition by its key) or `once`";

/// Reports every argument of `#[capability]`, which takes none.
pub(super) fn no_args(tokens: TokenStream, errors: &mut Errors) {
    Args::read(&CAPABILITY, quote!(), tokens, errors);
}

/// Parses the effect of a method. Returns `None` after it has reported that the effect is missing
/// or invalid.
pub(super) fn effect(helper: &syn::Attribute, errors: &mut Errors) -> Option<Effect> {
    let tokens = helper::arguments(helper).map_err(|error| errors.push(error)).ok()?;
    let empty = tokens.is_empty();
    let before = errors.count();
    let mut args = Args::read(&PROVIDE_METHOD, helper.path().to_token_stream(), tokens, errors);
    let effect = args.choice("effect", EFFECTS);
    if effect.is_none() && (empty || args.errors.count() == before) {
        args.missing("effect", SAY_EFFECT);
    }
    effect.map(|effect| effect.value)
}
