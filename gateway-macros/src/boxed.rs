//! Turns `async fn` into a function that returns a boxed future, which a trait object can have.

use proc_macro2::{Group, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    FnArg, Lifetime, ParenthesizedGenericArguments, Receiver, ReceiverKind, ReturnType, Signature, Type, TypeFnPtr,
    TypeReference,
};

use crate::item::Method;
use crate::paths;

/// The method with its body, if it has one, in a boxed `Send` future. Whatever it borrows, it borrows for `'call`.
pub(crate) fn boxed(method: &Method) -> TokenStream {
    let Method { attrs, vis, sig, body } = method;
    let output = output_of(sig);
    let sig = boxed_signature(sig);
    let body = match body {
        None => quote!(;),
        Some(body) => boxed_body(body, &output),
    };
    quote!(#(#attrs)* #vis #sig #body)
}

/// `fn f<'call>(&'call self, …) -> BoxFuture<'call, T>`
pub(crate) fn boxed_signature(sig: &Signature) -> TokenStream {
    let output = output_of(sig);
    let mut sig = sig.clone();
    let call = call_lifetime();
    for arg in &mut sig.inputs {
        Lend { call: &call }.visit_fn_arg_mut(arg);
    }
    let Signature { fn_token, ident, inputs, .. } = &sig;
    let gw = paths::private();
    let returned = quote_spanned!(output.span()=> #gw::BoxFuture<#call, #output>);
    quote!(#fn_token #ident<#call>(#inputs) -> #returned)
}

/// `{ Box::pin(async move { … }) }`, with the type of the answer known before the first `?` or `return` in the body.
fn boxed_body(body: &Group, output: &Type) -> TokenStream {
    let gw = paths::private();
    // Braces that count as the author's would be reported to him as superfluous.
    let mut block = Group::new(body.delimiter(), body.stream());
    block.set_span(Span::mixed_site().located_at(body.span()));
    let hint = quote! {
        if let #gw::Some(answer) = #gw::None::<#output> {
            return answer;
        }
    };
    let pinned = quote_spanned!(body.span()=> #gw::Box::pin(async move { #hint #block }));
    quote!({ #pinned })
}

/// What the method answers with: its return type, or `()`.
pub(crate) fn output_of(sig: &Signature) -> Type {
    match &sig.output {
        ReturnType::Type(_, ty) => (**ty).clone(),
        ReturnType::Default => syn::parse_quote!(()),
    }
}

fn call_lifetime() -> Lifetime {
    Lifetime::new("'call", Span::mixed_site())
}

/// Gives every elided lifetime of an argument the name of the one the future has.
struct Lend<'a> {
    call: &'a Lifetime,
}

impl VisitMut for Lend<'_> {
    fn visit_receiver_mut(&mut self, receiver: &mut Receiver) {
        if let ReceiverKind::Reference(_, lifetime @ None, _) = &mut receiver.kind {
            *lifetime = Some(self.call.clone());
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
        if lifetime.ident == "_" {
            *lifetime = self.call.clone();
        }
    }

    // Elided lifetimes in `fn(&T)` and `Fn(&T)` are bound there.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
}
