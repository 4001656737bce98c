//! The builder: creates a gateway from its settings, and adds what a program brings.

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
    /// Reads `gateway.toml` (in the working directory, or the file of `--config`), the environment
    /// and the flags.
    ///
    /// # Errors
    ///
    /// Returns all problems of the sources.
    pub fn from_env() -> Result<Self, StartError> {
        Self::from_env_over("")
    }

    /// Reads the same sources over the program's own defaults, which are TOML; see
    /// [`from_env`](Self::from_env).
    ///
    /// # Errors
    ///
    /// Returns all problems of the sources.
    pub fn from_env_over(defaults: &str) -> Result<Self, StartError> {
        Self::from_arguments_over(defaults, std::env::args_os().skip(1))
    }

    /// Reads these arguments instead of the program's, for a program with flags of its own; see
    /// [`from_env_over`](Self::from_env_over).
    ///
    /// # Errors
    ///
    /// Returns all problems of the sources.
    pub fn from_arguments_over(
        defaults: &str,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, StartError> {
        let flags = Flags::parse(arguments)?;
        let tree = match flags.action {
            // Both work with a configuration that is invalid.
            Action::Help | Action::Version => Tree::from_toml(defaults, "the program's defaults")?,
            Action::Serve | Action::List => Sources::read(defaults, &flags)?.with_credentials()?,
        };
        let mut this = Self::from_tree(tree, flags.action)?;
        this.file = Some(ConfigFile::new(defaults, flags));
        Ok(this)
    }

    /// Creates a gateway with these settings alone. The environment and the flags are not read.
    ///
    /// # Errors
    ///
    /// Returns all problems of the settings.
    pub fn from_toml(settings: &str) -> Result<Self, StartError> {
        Self::from_tree(Tree::from_toml(settings, "the settings")?, Action::Serve)
    }

    fn from_tree(tree: Tree, action: Action) -> Result<Self, StartError> {
        let (value, origins) = tree.clone().into_parts();
        let settings = Settings::read(tree).map_err(|error| {
            // Misspelled names are reported together with the other problems.
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
            resolvers: Default::default(),
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

    /// Adds a store of API keys, which is read after the keys of the configuration.
    #[must_use]
    pub fn with_api_keys(mut self, keys: impl ApiKeys) -> Self {
        self.api_keys = Some(Arc::new(keys));
        self
    }

    /// Serves a tower service, such as an axum router, under a prefix such as `/pages`; see
    /// [`Mount::new`].
    #[must_use]
    pub fn mount(mut self, mount: Mount) -> Self {
        self.mounts.push(mount);
        self
    }

    /// Adds a tower layer to the pipeline, through which every call goes, whatever its transport.
    /// Its requests are [`Invocation`](crate::pipeline::Invocation)s, and its errors are
    /// [`Error`](crate::Error)s or those of tower's own layers. Of two layers at one position, the
    /// first is the outer one.
    ///
    /// ```
    /// use gateway_runtime::{pipeline::{Invocation, LayerPosition}, prelude::*};
    /// use tower::util::MapRequestLayer;
    ///
    /// # fn add(gateway: Gateway) -> Gateway {
    /// gateway.layer(LayerPosition::AroundMethod, MapRequestLayer::new(|invocation: Invocation| {
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

    /// Refuses to start without these services (`currency` or `currency/v1`). A crate that is only
    /// named in `Cargo.toml` registers nothing, silently.
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

    /// Calls `tell` once with the running gateway, for a program that prints what to try. It is not
    /// called with `--help` or `--list`, or if the gateway cannot start.
    #[must_use]
    pub fn on_listening(mut self, tell: impl FnOnce(&RunningGateway) + Send + 'static) -> Self {
        self.on_listening = Some(Box::new(tell));
        self
    }

    /// Sets the version that `--version` prints: `.version(env!("CARGO_PKG_VERSION"))`. The default
    /// is `info.version` of the program's defaults.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }
}
