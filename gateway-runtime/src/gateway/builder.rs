//! What a gateway is put together from: settings, and what a program adds to them.

use std::{ffi::OsString, sync::Arc};

use crate::{
    auth::ApiKeys,
    base::start_error::StartError,
    edge::http::Mount,
    gateway::{
        Gateway, RunningGateway,
        config::{Action, ConfigFile, Flags, Settings, Sources, Tree},
        preflight::unknown_names_in,
    },
    pipeline::{LayerPosition, Layers, PipelineLayer},
    service::app::App,
};

impl Gateway {
    /// Reads `gateway.toml` (in the working directory, or where `--config` says), the environment and the flags.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in any of them.
    pub fn from_env() -> Result<Self, StartError> {
        Self::from_env_over("")
    }

    /// As [`from_env`](Self::from_env), over the program's own defaults, which are TOML.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn from_env_over(defaults: &str) -> Result<Self, StartError> {
        Self::from_arguments_over(defaults, std::env::args_os().skip(1))
    }

    /// As [`from_env_over`](Self::from_env_over), with these arguments: for a program with flags of its own.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn from_arguments_over(
        defaults: &str,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, StartError> {
        let flags = Flags::parse(arguments)?;
        let tree = match flags.action {
            // Answered whatever is wrong in the configuration.
            Action::Help | Action::Version => Tree::from_toml(defaults, "the program's defaults")?,
            Action::Serve | Action::List => Sources::read(defaults, &flags)?.with_credentials()?,
        };
        let mut this = Self::from_tree(tree, flags.action)?;
        this.file = Some(ConfigFile::new(defaults, flags));
        Ok(this)
    }

    /// A gateway with these settings and no others: neither the environment nor flags are looked at.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in them.
    pub fn from_toml(settings: &str) -> Result<Self, StartError> {
        Self::from_tree(Tree::from_toml(settings, "the settings")?, Action::Serve)
    }

    fn from_tree(tree: Tree, action: Action) -> Result<Self, StartError> {
        let (value, origins) = tree.clone().into_parts();
        let settings = Settings::read(tree).map_err(|error| {
            // Slips in names are told with the others, and not when these have been mended.
            let problems = error.into_problems().into_iter().chain(unknown_names_in(&value));
            StartError::from_nonempty(problems.collect()).map(|problem| origins.attributed(problem))
        })?;
        Ok(Self {
            settings,
            origins,
            file: None,
            action,
            version: None,
            app: App::default(),
            api_keys: None,
            mounts: Vec::new(),
            dispatchers: Default::default(),
            layers: Layers::default(),
            migrations: Vec::new(),
            expected_services: Vec::new(),
            expected_providers: Vec::new(),
            on_listening: None,
        })
    }

    /// Makes `value` available to fields of type `Arc<T>` of services and providers.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, value: impl Into<Arc<T>>) -> Self {
        self.app.insert(value.into());
        self
    }

    /// Looks for API keys here too, after those of the configuration.
    #[must_use]
    pub fn with_api_keys(mut self, keys: impl ApiKeys) -> Self {
        self.api_keys = Some(Arc::new(keys));
        self
    }

    /// Serves any tower service, an axum router say, under a prefix such as `/pages`; see [`Mount::new`].
    #[must_use]
    pub fn mount(mut self, mount: Mount) -> Self {
        self.mounts.push(mount);
        self
    }

    /// Puts a tower layer of your own into the pipeline, which every call goes through by whatever road it came: its
    /// requests are [`Invocation`](crate::pipeline::Invocation)s, and its errors [`Error`](crate::Error)s or whatever tower's own layers fail with. Of
    /// two at one place the first is the outer.
    ///
    /// ```
    /// use gateway_runtime::{pipeline::{Invocation, Place}, prelude::*};
    /// use tower::util::MapRequestLayer;
    ///
    /// # fn add(gateway: Gateway) -> Gateway {
    /// gateway.layer(Place::BeforeDispatch, MapRequestLayer::new(|invocation: Invocation| {
    ///     tracing::debug!(method = invocation.method.path(), "is called");
    ///     invocation
    /// }))
    /// # }
    /// ```
    #[must_use]
    pub fn layer(mut self, place: LayerPosition, layer: impl PipelineLayer) -> Self {
        self.layers.add(place, layer);
        self
    }

    /// Refuses to start without these services, `currency` or `currency/v1`: a crate that is only named in `Cargo.toml`
    /// registers nothing, silently.
    #[must_use]
    pub fn expect_services<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.expected_services.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// Refuses to start without these providers.
    #[must_use]
    pub fn expect_providers<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.expected_providers.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// Calls `tell` once, with the running gateway: for a program that says what to try where. With `--help` or `--list`, or
    /// when it cannot start, nothing is told.
    #[must_use]
    pub fn on_listening(mut self, tell: impl FnOnce(&RunningGateway) + Send + 'static) -> Self {
        self.on_listening = Some(Box::new(tell));
        self
    }

    /// Sets the version of the program, which `--version` prints: `.version(env!("CARGO_PKG_VERSION"))`. `info.version` of the
    /// program's defaults when left out.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }
}
