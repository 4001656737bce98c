//! Which of a method's arguments is its input, told by their types: for the macro that writes the client's signatures.
//!
//! All of it is total: an argument that can be none is the server side's to report, once, and counts as no input here.

use std::marker::PhantomData;

use crate::{
    base::spec::{ServiceSpec, SourceLocation},
    service::argument::FromCall,
};

/// Asks a type what it is, without asking for a bound: `Probe::<T>::IS_INPUT` is the constant of [`FromCall`] where `T`
/// has it, and else that of [`NoInput`].
#[derive(Debug)]
pub struct InputProbe<T>(PhantomData<T>);

impl<T: FromCall> InputProbe<T> {
    /// Whether `T` is an input.
    pub const IS_INPUT: bool = T::IS_INPUT;
}

/// What [`Probe`] says of a type that can be no argument.
pub trait NoInput {
    /// It is none.
    const IS_INPUT: bool = false;
}

impl<T> NoInput for InputProbe<T> {}

/// Asks a type for the service it declares, in the same way.
#[derive(Debug)]
pub struct DeclaredService<T>(PhantomData<T>);

impl<T: crate::service::entry::ServiceIdentity> DeclaredService<T> {
    /// What its attribute says.
    pub const SPEC: &'static ServiceSpec = T::SPEC;
}

/// What [`Declared`] says of a struct without `#[service]`; such a program does not compile.
pub trait NoService {
    /// Nothing.
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

/// One argument, whether it is the input, and the arguments after it; `()` ends the list.
#[derive(Debug)]
pub struct ArgumentList<const IS_INPUT: bool, T, Rest>(PhantomData<(T, Rest)>);

/// The input among a list of arguments: `()` if there is none.
pub trait Select {
    /// Its type.
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
