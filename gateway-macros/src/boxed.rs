//! The rewrite of an `async fn` as a function that returns a boxed future, which a trait object can
//! have.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{
    FnArg, Generics, Lifetime, ParenthesizedGenericArguments, Receiver, ReceiverKind, ReturnType,
    Signature, Type, TypeFnPtr, TypeReference,
};

use crate::item::Method;
use crate::paths;

/// Rewrites the method, and its body if it has one, to return a boxed `Send` future. All borrows of
/// its arguments have the lifetime `'call`.
pub(crate) fn boxed(method: &Method) -> TokenStream {
    let Method { attrs, vis, sig, body } = method;
    let output = output_of(sig);
    let sig = boxed_signature(sig);
    let body = match body {
        None => quote!(;),
        Some(body) => boxed_body(&method.sig.ident, body, &output),
    };
    quote!(#(#attrs)* #vis #sig #body)
}

/// Returns the signature `fn f<'call>(&'call self, …) -> BoxFuture<'call, T>`.
pub(crate) fn boxed_signature(sig: &Signature) -> TokenStream {
    let output = output_of(sig);
    let mut lent = sig.clone();
    let call = Lifetime::new("'call", Span::mixed_site());
    for arg in &mut lent.inputs {
        BindLifetimes { call: &call, declared: &sig.generics }.visit_fn_arg_mut(arg);
    }
    let Signature { fn_token, ident, inputs, .. } = &lent;
    let returned = box_future(&call, &output);
    quote!(#fn_token #ident<#call>(#inputs) -> #returned)
}

/// Returns the type of the future, spanned as the author's return type.
fn box_future(call: &Lifetime, output: &Type) -> TokenStream {
    let (first, last) = ends(output);
    let gw = paths::private_at(first);
    let close = quote_spanned!(last=> >);
    quote!(#gw::BoxFuture<#call, #output #close)
}

/// Returns the spans of the first and the last token. The compiler shows generated tokens that
/// begin and end with these spans at the place of the original.
pub(crate) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut spans = tokens.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    (first, spans.last().unwrap_or(first))
}

/// Returns `{ Box::pin(async move { … }) }`. The type of the output is fixed before the first `?`
/// or `return` in the body.
fn boxed_body(name: &Ident, body: &Group, output: &Type) -> TokenStream {
    // The compiler reports a value that is not `Send` across an await at the method's name.
    let at = name.span();
    let gw = paths::private_at(at);
    // With the author's span, rustc would report these braces to the author as unnecessary.
    let mut block = Group::new(body.delimiter(), body.stream());
    block.set_span(Span::mixed_site().located_at(body.span()));
    let hint = quote! {
        if let #gw::Some(__answer) = #gw::None::<#output> {
            return __answer;
        }
    };
    let mut whole = Group::new(
        body.delimiter(),
        quote_spanned!(at=> #gw::Box::pin(async move { #hint #block })),
    );
    whole.set_span(body.span());
    whole.into_token_stream()
}

/// Returns the return type of the method, or `()`.
pub(crate) fn output_of(sig: &Signature) -> Type {
    match &sig.output {
        ReturnType::Type(_, ty) => (**ty).clone(),
        ReturnType::Default => syn::parse_quote!(()),
    }
}

/// A visitor that gives every lifetime of an argument, elided or declared by the method, the name
/// of the future's lifetime.
struct BindLifetimes<'a> {
    call: &'a Lifetime,
    declared: &'a Generics,
}

impl VisitMut for BindLifetimes<'_> {
    fn visit_receiver_mut(&mut self, receiver: &mut Receiver) {
        if let ReceiverKind::Reference(_, lifetime, _) = &mut receiver.kind {
            self.visit_lifetime_mut(lifetime.get_or_insert_with(|| self.call.clone()));
        }
    }

    fn visit_fn_arg_mut(&mut self, arg: &mut FnArg) {
        match arg {
            FnArg::Receiver(receiver) => self.visit_receiver_mut(receiver),
            FnArg::Typed(arg) => self.visit_type_mut(&mut arg.ty),
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime.get_or_insert_with(|| self.call.clone());
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_"
            || self.declared.lifetimes().any(|declared| declared.lifetime == *lifetime)
        {
            *lifetime = self.call.clone();
        }
    }

    // `fn(&T)` and `Fn(&T)` bind their own elided lifetimes.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {
    }
}
