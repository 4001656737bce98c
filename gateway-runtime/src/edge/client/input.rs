//! Selection of a method's input among its arguments, by their types, for the macro that generates
//! the signatures of clients.
//!
//! The selection is total: an argument of an invalid type is reported by the server side, once, and
//! counts as no input here.

use std::marker::PhantomData;

use crate::{
    base::spec::{ServiceSpec, SourceLocation},
    service::argument::FromCall,
};

/// A probe of a type without a bound: `InputProbe::<T>::IS_INPUT` is the constant of [`FromCall`]
/// if `T` implements it, and otherwise that of [`NoInput`].
#[derive(Debug)]
pub struct InputProbe<T>(PhantomData<T>);

impl<T: FromCall> InputProbe<T> {
    /// Whether `T` is an input.
    pub const IS_INPUT: bool = T::IS_INPUT;
}

/// The fallback of [`InputProbe`] for a type that cannot be an argument.
pub trait NoInput {
    /// False: the type is no input.
    const IS_INPUT: bool = false;
}

impl<T> NoInput for InputProbe<T> {}

/// A probe for the service that a type declares, in the same way.
#[derive(Debug)]
pub struct DeclaredService<T>(PhantomData<T>);

impl<T: crate::service::entry::ServiceIdentity> DeclaredService<T> {
    /// The specification from the attribute.
    pub const SPEC: &'static ServiceSpec = T::SPEC;
}

/// The fallback of [`DeclaredService`] for a struct without `#[service]`; such a program does not
/// compile.
pub trait NoService {
    /// An empty specification.
    const SPEC: &'static ServiceSpec = &ServiceSpec {
        name: "",
        version: 0,
        title: "",
        description: "",
        auth: None,
        scopes: &[],
        source: SourceLocation { file: "", line: 0 },
    };
}

impl<T> NoService for DeclaredService<T> {}

/// An argument, whether it is the input, and the arguments after it; `()` ends the list.
#[derive(Debug)]
pub struct ArgumentList<const IS_INPUT: bool, T, Rest>(PhantomData<(T, Rest)>);

/// The input among a list of arguments: `()` if there is none.
pub trait Select {
    /// The type of the input.
    type Input;
}

impl Select for () {
    type Input = ();
}

impl<T, Rest> Select for ArgumentList<true, T, Rest> {
    type Input = T;
}

impl<T, Rest: Select> Select for ArgumentList<false, T, Rest> {
    type Input = Rest::Input;
}
