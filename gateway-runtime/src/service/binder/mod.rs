//! The binder: ties one method at start to the state of its arguments, and collects what they
//! declare.

pub(super) mod instances;
pub(super) mod pools;

use std::{
    any::{TypeId, type_name},
    sync::Arc,
};

use schemars::JsonSchema;

use crate::{
    base::{
        spec::{CapabilitySpec, MethodSpec, ServiceSpec},
        start_error::StartError,
    },
    provider::{
        Capability, Pool,
        strategy::{RoundRobin, Strategy},
    },
    service::{
        app::App,
        binder::{instances::Instances, pools::Pools},
        entry::{MakeStrategy, ServiceIdentity},
        into_reply::{IntoReply, ReplyShape},
        method::MethodInput,
    },
};

/// A pool and the strategy for it, as [`Binder::pool`] returns them.
pub type PoolAndStrategy<C> = (Arc<Pool<C>>, Arc<dyn Strategy>);

/// The context in which the arguments of a method are prepared.
pub struct Binder<'a> {
    pub(super) app: &'a App,
    pub(super) instances: &'a Instances,
    pub(super) pools: &'a mut Pools,
    pub(super) service: &'static ServiceSpec,
    pub(super) method: &'static MethodSpec,
    /// The strategy of the method itself.
    pub(super) strategy: Option<MakeStrategy>,
    pub(super) service_strategy: Option<MakeStrategy>,
    pub(super) input: Option<MethodInput>,
    pub(super) reply: Option<ReplyShape>,
    pub(super) capabilities: Vec<&'static CapabilitySpec>,
}

impl Binder<'_> {
    /// Returns the app.
    #[must_use]
    pub fn app(&self) -> &App {
        self.app
    }

    /// Returns the name of the method that is being bound, for messages: `currency/v1/rates
    /// (src/main.rs:12)`.
    #[must_use]
    pub fn subject(&self) -> String {
        let Self { service, method, .. } = self;
        format!("{}/v{}/{} ({})", service.name, service.version, method.name, method.source)
    }

    /// Declares `T` as the input of the method.
    ///
    /// # Errors
    ///
    /// Returns an error if the schema of `T` cannot be compiled, or if the method takes its input
    /// from the query string and `T` does not fit there.
    pub fn input<T: JsonSchema>(&mut self) -> Result<(), StartError> {
        let input = MethodInput::new::<T>()
            .map_err(|error| StartError::new(format!("{}: {error}", self.subject())))?;
        if self.method.verb.has_query_input() {
            input.schema.query_compatible().map_err(|why| {
                StartError::new(format!(
                    "{}: a {} method has its input in the query string, which cannot represent \
                     `{}`: {why}\n\
                     help: make it a POST method, or flatten the input",
                    self.subject(),
                    self.method.verb,
                    type_name::<T>(),
                ))
            })?;
        }
        self.input = Some(input);
        Ok(())
    }

    /// Returns the pool of all providers of `C`, with the strategy of the method, else of the
    /// service, else round robin.
    ///
    /// # Errors
    ///
    /// Returns an error if no provider of `C` is registered.
    pub fn pool<C: Capability + ?Sized>(&mut self) -> Result<PoolAndStrategy<C>, StartError> {
        let pool = self.pools.pool::<C>(self.instances).ok_or_else(|| {
            StartError::new(format!(
                "{}: no provider of `{}` is registered\n\
                 help: write one (`#[provider] impl {} for …`), or link the crate that has one: \
                 `gateway_runtime::link!(that_crate)`",
                self.subject(),
                C::SPEC.name,
                C::SPEC.name
            ))
        })?;
        self.capabilities.push(C::SPEC);
        Ok((pool, self.strategy_of(TypeId::of::<C>())))
    }

    /// Returns the strategy of the method, else one that the methods of a service share for a
    /// capability, so that they take turns together.
    fn strategy_of(&mut self, capability: TypeId) -> Arc<dyn Strategy> {
        if let Some(make) = self.strategy {
            return make();
        }
        let make = self.service_strategy;
        self.pools.strategy(self.service, capability, || {
            make.map_or_else(|| Arc::new(RoundRobin::new()) as _, |make| make())
        })
    }

    pub(super) fn service<S: ServiceIdentity>(&self) -> Result<Arc<S>, StartError> {
        self.instances.service::<S>().ok_or_else(|| {
            StartError::new(format!("{}: its service was not built", self.subject()))
        })
    }

    pub(super) fn reply<T: IntoReply>(&mut self) {
        self.reply = Some(T::shape());
    }
}

impl std::fmt::Debug for Binder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Binder").field(&self.subject()).finish()
    }
}
