//! Items as the macros see them: heads and signatures are parsed, bodies stay tokens.
//!
//! A half-typed body therefore passes through, and an editor completes in it. No time is spent on
//! parsing code that is only passed on.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, ItemImpl, ItemStruct, ItemTrait, Signature, Token, TraitItem, Visibility};

/// The item under an attribute of ours.
pub(crate) enum Item {
    Struct(ItemStruct),
    Impl(ItemImpl, Vec<Member>),
    Trait(ItemTrait, Vec<Member>),
    /// An item that none of our attributes applies to, with its name for messages.
    Other(&'static str),
}

/// A member in the braces of an impl or a trait.
pub(crate) enum Member {
    Method(Box<Method>),
    /// A constant, a type or a macro call, with its name for messages.
    Other(&'static str, TokenStream),
}

/// A method with an unparsed body.
#[derive(Clone)]
pub(crate) struct Method {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Option<Group>,
}

impl Item {
    /// Parses the item under an attribute. An error means that the item is not valid Rust.
    pub(crate) fn read(tokens: TokenStream) -> syn::Result<Self> {
        match Kind::of.parse2(tokens.clone())? {
            Kind::Struct => syn::parse2(tokens).map(Self::Struct),
            Kind::Impl => {
                let (head, body) = without_body(tokens);
                let mut item: ItemImpl = syn::parse2(head)?;
                let members = read_members(body, &mut item.attrs)?;
                Ok(Self::Impl(item, members))
            }
            Kind::Trait => {
                let (head, body) = without_body(tokens);
                let mut item: ItemTrait = syn::parse2(head)?;
                let members = read_members(body, &mut item.attrs)?;
                Ok(Self::Trait(item, members))
            }
            Kind::Other(what) => Ok(Self::Other(what)),
        }
    }

    /// Returns the name of the kind of item for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Struct(_) => "a struct",
            Self::Impl(item, _) if item.trait_.is_some() => "the impl of a trait",
            Self::Impl(..) => "an impl block",
            Self::Trait(..) => "a trait",
            Self::Other(what) => what,
        }
    }
}

/// Returns the attributes at the beginning of an item.
pub(crate) fn head_attributes(tokens: &TokenStream) -> Vec<Attribute> {
    let parser = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_outer)?;
        while input.parse::<TokenTree>().is_ok() {}
        Ok(attrs)
    };
    parser.parse2(tokens.clone()).unwrap_or_default()
}

enum Kind {
    Struct,
    Impl,
    Trait,
    Other(&'static str),
}

impl Kind {
    /// Determines the kind by the first keyword after attributes and visibility.
    fn of(input: ParseStream<'_>) -> syn::Result<Self> {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let kind = loop {
            match input.parse::<TokenTree>() {
                Ok(TokenTree::Ident(word)) => match word.to_string().as_str() {
                    "struct" => break Self::Struct,
                    "impl" => break Self::Impl,
                    "trait" => break Self::Trait,
                    "fn" => break Self::Other("a function"),
                    "enum" => break Self::Other("an enum"),
                    "union" => break Self::Other("a union"),
                    "mod" => break Self::Other("a module"),
                    "use" => break Self::Other("a use"),
                    "type" => break Self::Other("a type alias"),
                    "static" => break Self::Other("a static"),
                    "const" if !is_function(input) => break Self::Other("a constant"),
                    "unsafe" | "async" | "const" | "extern" | "auto" | "default" => {}
                    _ => break Self::Other("this"),
                },
                Ok(TokenTree::Literal(_)) => {}
                Ok(_) | Err(_) => break Self::Other("this"),
            }
        };
        while input.parse::<TokenTree>().is_ok() {}
        Ok(kind)
    }
}

fn is_function(input: ParseStream<'_>) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![unsafe])
        || input.peek(Token![extern])
}

/// Splits `impl X { … }` into `impl X { }` and the content of the braces.
fn without_body(tokens: TokenStream) -> (TokenStream, TokenStream) {
    let mut head: Vec<TokenTree> = tokens.into_iter().collect();
    let mut body = TokenStream::new();
    if let Some(TokenTree::Group(group)) = head.last_mut() {
        body = group.stream();
        let mut emptied = Group::new(group.delimiter(), TokenStream::new());
        emptied.set_span(group.span());
        *group = emptied;
    }
    (head.into_iter().collect(), body)
}

fn read_members(body: TokenStream, attrs: &mut Vec<Attribute>) -> syn::Result<Vec<Member>> {
    let parser = |input: ParseStream<'_>| {
        attrs.extend(input.call(Attribute::parse_inner)?);
        let mut members = Vec::new();
        while !input.is_empty() {
            members.push(input.parse()?);
        }
        Ok(members)
    };
    parser.parse2(body)
}

impl Parse for Member {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        if let Ok(method) = Method::parse(&ahead) {
            input.advance_to(&ahead);
            return Ok(Self::Method(Box::new(method)));
        }
        // Associated constants, types and macro calls have the same syntax in impls and traits.
        let item: TraitItem = input.parse()?;
        let what = match &item {
            TraitItem::Const(_) => "a constant",
            TraitItem::Type(_) => "a type",
            TraitItem::Macro(_) => "a macro call",
            _ => "this",
        };
        Ok(Self::Other(what, item.into_token_stream()))
    }
}

impl Parse for Method {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        let body = if input.parse::<Option<Token![;]>>()?.is_some() {
            None
        } else if input.peek(syn::token::Brace) {
            Some(input.parse()?)
        } else {
            return Err(input.error("expected the body of a method"));
        };
        Ok(Self { attrs, vis, sig, body })
    }
}

impl Method {
    /// Takes out the attributes called `name`, whatever path they are written with.
    pub(crate) fn take_attributes(&mut self, name: &str) -> Vec<Attribute> {
        let mut taken = Vec::new();
        self.attrs.retain(|attr| {
            let ours = attr.path().segments.last().is_some_and(|last| last.ident == name);
            if ours {
                taken.push(attr.clone());
            }
            !ours
        });
        taken
    }

    /// Returns the `#[cfg(…)]` attributes. Everything that is generated for this method repeats
    /// them.
    pub(crate) fn cfgs(&self) -> Vec<Attribute> {
        self.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect()
    }
}

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, body } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig));
        match body {
            Some(body) => body.to_tokens(tokens),
            None => <Token![;]>::default().to_tokens(tokens),
        }
    }
}

impl ToTokens for Member {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Method(method) => method.to_tokens(tokens),
            Self::Other(_, other) => other.to_tokens(tokens),
        }
    }
}

/// Returns an identifier without the `r#` of a raw identifier.
pub(crate) fn bare(ident: &Ident) -> String {
    use syn::ext::IdentExt;
    ident.unraw().to_string()
}

/// Returns tokens with nearly the spacing that a person would write, for messages.
pub(crate) fn compact(tokens: impl ToTokens) -> String {
    const TIGHT: &[(&str, &str)] = &[
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" ::", "::"),
        (":: ", "::"),
        ("& ", "&"),
        (" :", ":"),
    ];
    let spaced = tokens.to_token_stream().to_string();
    TIGHT.iter().fold(spaced, |text, (loose, tight)| text.replace(loose, tight))
}
