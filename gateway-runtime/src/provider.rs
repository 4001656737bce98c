//! Shim so that the crate compiles until the real module lands: whoever brings that deletes this file.
#![allow(missing_docs, clippy::all)]
use crate::spec::*;
use crate::*;
use std::{any::Any, marker::PhantomData, sync::Arc};
pub trait Capability: Send + Sync + 'static {
    const SPEC: &'static CapabilitySpec;
}
#[derive(Clone, Copy, Debug)]
pub enum Cost {
    Unknown,
    Flat(Money),
    Of(fn(&[&dyn Any]) -> Option<Money>),
}
pub struct Candidate<C: ?Sized>(PhantomData<Arc<C>>);
impl<C: ?Sized> Candidate<C> {
    pub fn new(_: Arc<Provider>, _: Arc<C>, _: Vec<Cost>) -> Self {
        todo!()
    }
}
#[derive(Debug)]
pub struct Provider;
impl Provider {
    pub fn new(_: &'static ProviderSpec, _: &ProviderSettings) -> Self {
        todo!()
    }
    pub fn spec(&self) -> &'static ProviderSpec {
        todo!()
    }
}
pub struct Pool<C: ?Sized>(PhantomData<Arc<C>>);
impl<C: ?Sized> Pool<C> {
    pub fn new(_: Vec<Candidate<C>>, _: &FailoverSettings) -> Self {
        todo!()
    }
    pub fn health(&self) -> PoolHealth {
        todo!()
    }
}
pub struct Providers<C: ?Sized>(PhantomData<Arc<C>>);
impl<C: ?Sized + Capability> Providers<C> {
    pub fn new(_: Arc<Pool<C>>, _: Arc<dyn crate::strategy::Strategy>, _: Call) -> Self {
        todo!()
    }
}
#[derive(Clone, Default, Debug)]
pub struct FailoverSettings;
#[derive(Clone, Default, Debug)]
pub struct ProviderSettings;
pub struct PoolHealth;
pub struct ProviderError;
impl From<ProviderError> for Error {
    fn from(_: ProviderError) -> Error {
        todo!()
    }
}
pub fn run<'a, C: ?Sized + Capability, T: Send + 'a, const N: usize, F>(
    _: &'a Providers<C>,
    _: usize,
    _: [&'a (dyn Any + Sync); N],
    _: F,
) -> std::pin::Pin<Box<dyn Future<Output = std::result::Result<T, ProviderError>> + Send + 'a>>
where
    F: Fn(&'a C) -> std::pin::Pin<Box<dyn Future<Output = std::result::Result<T, ProviderError>> + Send + 'a>>
        + Send
        + 'a,
{
    todo!()
}
