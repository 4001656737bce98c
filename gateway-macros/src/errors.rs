//! A collector of errors, so that an author sees every mistake of an item at once.

use std::fmt::Display;

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;

/// The errors found so far. [`Errors::into_tokens`] must be called: an error dropped without it
/// would never be reported, so dropping panics.
#[derive(Debug)]
pub(crate) struct Errors {
    found: Vec<syn::Error>,
    read: bool,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self { found: Vec::new(), read: false }
    }

    /// Adds an error: its place, the mistake, and how to mend it.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, wrong: impl Display, help: impl Display) {
        self.push(syn::Error::new_spanned(tokens, format!("{wrong}\nhelp: {help}")));
    }

    /// Adds an error about the attribute itself.
    pub(crate) fn here(&mut self, wrong: impl Display, help: impl Display) {
        // The call site of an attribute macro is the attribute.
        self.at(Ident::new("here", Span::call_site()), wrong, help);
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    /// Returns the number of errors. A difference of two counts tells whether a step has added any.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Returns the errors as `compile_error!` items, in the order found.
    pub(crate) fn into_tokens(mut self) -> TokenStream {
        self.read = true;
        self.found.iter().map(syn::Error::to_compile_error).collect()
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        assert!(self.read || std::thread::panicking(), "the errors of a macro were never reported");
    }
}

#[cfg(test)]
mod tests {
    use super::Errors;
    use quote::quote;

    #[test]
    fn every_error_becomes_a_compile_error() {
        let mut errors = Errors::new();
        errors.at(quote!(a), "a is wrong", "write b");
        errors.at(quote!(c), "c is wrong", "write d");
        assert_eq!(errors.count(), 2);
        let shown = errors.into_tokens().to_string();
        assert_eq!(shown.matches("compile_error").count(), 2);
        assert!(shown.contains("a is wrong\\nhelp: write b"), "{shown}");
    }

    #[test]
    #[should_panic(expected = "never reported")]
    fn unread_errors_are_a_bug_of_the_macro() {
        drop(Errors::new());
    }
}
