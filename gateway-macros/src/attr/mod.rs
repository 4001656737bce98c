//! The parser of attribute arguments. Unknown, repeated, missing and malformed arguments are
//! reported here and nowhere else, so that every macro says the same about the same mistake.

mod syntax;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, LitStr, Path, Token};

use self::syntax::{Arg, Value, skip_to_comma};
use crate::errors::Errors;
use crate::literal::LiteralError;

/// An attribute and the arguments that its parentheses can hold.
#[derive(Debug)]
pub(crate) struct Attribute {
    /// The attribute as an author writes it: `#[service]`.
    pub(crate) label: &'static str,
    pub(crate) arguments: &'static [Argument],
    /// Words that an author may look for here, each with a help text that says where the thing is
    /// written instead.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

/// An argument that an attribute accepts.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    /// A valid spelling, shown when the argument is malformed.
    pub(crate) example: &'static str,
}

/// Creates an [`Argument`]; shorthand for the tables of arguments.
pub(crate) const fn arg(name: &'static str, example: &'static str) -> Argument {
    Argument { name, example }
}

/// A value that the author wrote, with its tokens for diagnostics.
#[derive(Debug, Clone)]
pub(crate) struct ArgumentValue<T> {
    pub(crate) value: T,
    pub(crate) at: TokenStream,
}

/// The arguments of one attribute; each is taken out once, by its name.
pub(crate) struct Args<'e> {
    attribute: &'static Attribute,
    /// The tokens to which an error about a missing argument points.
    whole: TokenStream,
    list: Vec<Arg>,
    pub(crate) errors: &'e mut Errors,
}

impl<'e> Args<'e> {
    /// Parses `tokens`, the content of the parentheses of `attribute`. An error about a missing
    /// argument points to `whole`.
    pub(crate) fn read(
        attribute: &'static Attribute,
        whole: TokenStream,
        tokens: TokenStream,
        errors: &'e mut Errors,
    ) -> Self {
        let mut args = Self { attribute, whole, list: Vec::new(), errors };
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                args.read_one(input);
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            args.errors.push(error);
        }
        args
    }

    /// Parses one argument and the comma after it. After a mistake it continues behind the next
    /// comma.
    fn read_one(&mut self, input: ParseStream<'_>) {
        let start = input.fork();
        match Arg::parse(input) {
            Ok(arg) if input.is_empty() || input.peek(Token![,]) => self.admit(arg),
            outcome => {
                skip_to_comma(input);
                let name = start.call(Ident::parse_any).ok();
                let known = name.as_ref().and_then(|name| self.known(name));
                match (known, outcome) {
                    (Some(known), _) => self.malformed(known, &name),
                    (None, Ok(arg)) => self.admit(arg),
                    (None, Err(error)) => self.errors.at(
                        start.parse::<TokenTree>().ok(),
                        format_args!("this is no argument of `{}`: {error}", self.attribute.label),
                        self.attribute.known_arguments(),
                    ),
                }
            }
        }
        // Every branch above stops at a comma or at the end of the input.
        let _ = input.parse::<Option<Token![,]>>();
    }

    fn admit(&mut self, arg: Arg) {
        if self.known(&arg.name).is_none() {
            self.unknown(&arg.name);
        } else if self.list.iter().any(|other| other.name == arg.name) {
            self.errors.at(
                &arg.name,
                format_args!("`{}` is given twice", arg.name),
                "keep one of the two",
            );
        } else {
            self.list.push(arg);
        }
    }

    fn known(&self, name: &Ident) -> Option<&'static Argument> {
        self.attribute.arguments.iter().find(|arg| name == arg.name)
    }

    fn unknown(&mut self, name: &Ident) {
        let word = name.to_string();
        let known = self.attribute.known_arguments();
        let elsewhere = self.attribute.elsewhere.iter().find(|(looked_for, _)| word == *looked_for);
        let similar = nearest(&word, self.attribute.arguments.iter().map(|arg| arg.name));
        let help = match (elsewhere, similar) {
            (Some((_, place)), _) => (*place).to_owned(),
            (None, Some(similar)) => format!("did you mean `{similar}`? {known}"),
            (None, None) => known,
        };
        self.errors.at(
            name,
            format_args!("`{}` has no argument `{name}`", self.attribute.label),
            help,
        );
    }

    fn malformed(&mut self, known: &Argument, at: impl ToTokens) {
        self.errors.at(
            at,
            format_args!("`{}` is not written like this", known.name),
            format_args!("write `{}`", known.example),
        );
    }

    /// Takes the argument `name` out, with its tokens for diagnostics.
    fn take(&mut self, name: &str) -> Option<(&'static Argument, Value, TokenStream)> {
        let known = self.attribute.arguments.iter().find(|a| a.name == name)?;
        let found = self.list.iter().position(|arg| arg.name == name)?;
        let arg = self.list.swap_remove(found);
        let at = arg.to_token_stream();
        Some((known, arg.value, at))
    }

    /// Returns whether the author wrote this argument, valid or not, and it has not been taken out
    /// yet.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.list.iter().any(|arg| arg.name == name)
    }

    /// Takes `name = "…"` out and parses its text with one of the parsers of [`crate::literal`].
    pub(crate) fn text<T>(
        &mut self,
        name: &str,
        reader: impl FnOnce(&str) -> Result<T, LiteralError>,
    ) -> Option<ArgumentValue<T>> {
        let (known, value, at) = self.take(name)?;
        let Some(literal) = value.string() else {
            self.malformed(known, at);
            return None;
        };
        self.literal(&literal, reader).map(|value| ArgumentValue { value, at })
    }

    /// Takes a list such as `scopes("a", "b")` out: one or more strings, without duplicates.
    pub(crate) fn strings(
        &mut self,
        name: &str,
        reader: impl Fn(&str) -> Result<String, LiteralError>,
    ) -> Option<ArgumentValue<Vec<String>>> {
        let (known, value, at) = self.take(name)?;
        let parser = Punctuated::<LitStr, Token![,]>::parse_terminated;
        let literals = match value {
            Value::List(list) => parser.parse2(list.stream()).unwrap_or_default(),
            Value::Flag | Value::Is(_) => Punctuated::new(),
        };
        if literals.is_empty() {
            self.malformed(known, at);
            return None;
        }
        let mut texts = Vec::new();
        for literal in &literals {
            let text = self.literal(literal, &reader)?;
            if texts.contains(&text) {
                let wrong = format_args!("`{text}` is listed twice in `{name}`").to_string();
                self.errors.at(literal, wrong, "keep one of the two");
                return None;
            }
            texts.push(text);
        }
        Some(ArgumentValue { value: texts, at })
    }

    /// Takes a list such as `errors(SOLD_OUT)` out: one or more paths.
    pub(crate) fn paths(&mut self, name: &str) -> Option<ArgumentValue<Vec<Path>>> {
        let (known, value, at) = self.take(name)?;
        let parser = Punctuated::<Path, Token![,]>::parse_terminated;
        let paths = match value {
            Value::List(list) => parser.parse2(list.stream()).unwrap_or_default(),
            Value::Flag | Value::Is(_) => Punctuated::new(),
        };
        if paths.is_empty() {
            self.malformed(known, at);
            return None;
        }
        Some(ArgumentValue { value: paths.into_iter().collect(), at })
    }

    fn literal<T>(
        &mut self,
        literal: &LitStr,
        reader: impl FnOnce(&str) -> Result<T, LiteralError>,
    ) -> Option<T> {
        reader(&literal.value())
            .map_err(|wrong| self.errors.at(literal, wrong.what, wrong.help))
            .ok()
    }

    /// Takes a number such as `version = 1` out: a whole number from 1.
    pub(crate) fn number(&mut self, name: &str) -> Option<ArgumentValue<u32>> {
        let (known, value, at) = self.take(name)?;
        match value.integer().map(|literal| literal.base10_parse()) {
            Some(Ok(0)) => {
                let wrong = format_args!("`{name}` begins at 1").to_string();
                self.errors.at(at, wrong, format_args!("write `{}`", known.example));
                None
            }
            Some(Ok(value)) => Some(ArgumentValue { value, at }),
            Some(Err(_)) | None => {
                self.malformed(known, at);
                None
            }
        }
    }

    /// Takes a choice such as `effect = read` out: one of the words in `choices`.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Option<ArgumentValue<T>> {
        let (_, value, at) = self.take(name)?;
        let word = value.word();
        let chosen = choices.iter().find(|(known, _)| word.as_deref() == Some(known));
        if let Some((_, value)) = chosen {
            return Some(ArgumentValue { value: *value, at });
        }
        let words = choices.iter().map(|(word, _)| *word);
        let meant = word.or_else(|| value.string().map(|text| text.value()));
        let near = meant.and_then(|word| nearest(&word, words.clone()));
        let all = words.collect::<Vec<_>>().join(", ");
        self.errors.at(
            at,
            format_args!("`{name}` is one of {all}"),
            match near {
                Some(near) => format!("did you mean `{name} = {near}`?"),
                None => format!("write `{name} = {}`", choices[0].0),
            },
        );
        None
    }

    /// Takes an expression such as `strategy = Cheapest` out. The compiler checks its type.
    pub(crate) fn expression(&mut self, name: &str) -> Option<ArgumentValue<Expr>> {
        let (known, value, at) = self.take(name)?;
        match value {
            Value::Is(value) => Some(ArgumentValue { value, at }),
            Value::Flag | Value::List(_) => {
                self.malformed(known, at);
                None
            }
        }
    }

    /// Takes a flag such as `deprecated` out and returns whether it is present.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            None => false,
            Some((_, Value::Flag, _)) => true,
            Some((known, _, at)) => {
                self.malformed(known, at);
                false
            }
        }
    }

    /// Reports that an argument without a default is missing.
    pub(crate) fn missing(&mut self, name: &str, help: &str) {
        let label = self.attribute.label;
        let wrong = format!("`{label}` says no `{name}`");
        self.errors.at(&self.whole, wrong, help);
    }
}

impl Attribute {
    fn known_arguments(&self) -> String {
        if self.arguments.is_empty() {
            return format!("`{}` takes no arguments", self.label);
        }
        let names: Vec<_> = self.arguments.iter().map(|arg| arg.name).collect();
        format!("`{}` takes {}", self.label, names.join(", "))
    }
}

/// Returns the candidate that the author most likely meant, if one is similar enough.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}
