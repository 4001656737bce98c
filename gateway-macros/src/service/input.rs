//! The arguments and the output of an exposed method, as far as a macro sees them.

use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Signature, Type};

use super::model::Verb;
use crate::attr::ArgumentValue;
use crate::boxed::output_of;
use crate::errors::Errors;
use crate::item;
use crate::signature::{self, SignatureRules};

const RULES: SignatureRules = SignatureRules {
    what: "an exposed method",
    no_generics: "name the types: they become the schema of the method",
    returns: "write `-> Result<()>` if there is nothing to answer",
};

/// The types of a signature, with `Self` replaced.
pub(super) struct Types {
    /// The types of the arguments after `&self`.
    pub(super) arguments: Vec<Type>,
    pub(super) output: Type,
}

/// Returns the types of an exposed method, or `None` if the signature is invalid.
pub(super) fn types(
    service: &Type,
    sig: &Signature,
    verb: Option<&ArgumentValue<Verb>>,
    errors: &mut Errors,
) -> Option<Types> {
    let before = errors.count();
    signature::check(sig, &RULES, errors);
    let arguments = sig.inputs.iter().filter_map(signature::typed);
    let arguments: Vec<Type> = arguments.map(|argument| without_self(argument, service)).collect();
    by_value(&arguments, errors);
    if let Some(verb) = verb {
        query_input(verb.value, &arguments, errors);
    }
    let output = without_self(&output_of(sig), service);
    (errors.count() == before).then_some(Types { arguments, output })
}

/// Reports arguments that are taken by reference. A call owns its arguments, since it outlives the
/// request.
fn by_value(arguments: &[Type], errors: &mut Errors) {
    for argument in arguments {
        if let Type::Reference(reference) = argument {
            let owned = reference.elem.to_token_stream();
            errors.at(
                reference,
                "an exposed method takes its arguments by value",
                format_args!("write `{}`", item::compact(&owned)),
            );
        }
    }
}

/// Reports inputs of GET and DELETE without named fields: a query string is a list of named values.
/// The content of a struct is known only from its schema, at start.
fn query_input(verb: Verb, arguments: &[Type], errors: &mut Errors) {
    for argument in
        arguments.iter().filter(|argument| verb.has_query_input() && has_no_names(argument))
    {
        errors.at(
            argument,
            format_args!(
                "a {} takes its input from the query string, and `{}` has no named fields",
                verb.as_str(),
                item::compact(argument),
            ),
            "take a struct: `#[model] struct Query { … }`, or expose the method as POST",
        );
    }
}

/// Returns whether the type is, by its form alone, an input without named fields. None of these
/// types can inject a value, since by the orphan rule only the crate that defines the type could
/// implement that.
fn has_no_names(ty: &Type) -> bool {
    const NAMELESS: &[&str] = &[
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
        "f32", "f64", "bool", "char", "String", "Vec", "VecDeque", "HashSet", "BTreeSet",
        "HashMap", "BTreeMap",
    ];
    match ty {
        Type::Tuple(_) | Type::Array(_) | Type::Slice(_) => true,
        Type::Paren(inner) => has_no_names(&inner.elem),
        Type::Group(inner) => has_no_names(&inner.elem),
        Type::Path(path) => match path.path.segments.last() {
            Some(last) => NAMELESS.iter().any(|name| last.ident == name),
            None => false,
        },
        _ => false,
    }
}

/// Replaces `Self`, so that the type has the same meaning outside the impl block.
fn without_self(ty: &Type, own: &Type) -> Type {
    let mut ty = ty.clone();
    WriteOut(own).visit_type_mut(&mut ty);
    ty
}

struct WriteOut<'a>(&'a Type);

impl VisitMut for WriteOut<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        match ty {
            Type::Path(path) if path.path.is_ident("Self") => *ty = self.0.clone(),
            _ => visit_mut::visit_type_mut(self, ty),
        }
    }
}
