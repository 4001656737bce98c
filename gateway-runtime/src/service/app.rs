//! The app: the values and the configuration sections from which services and providers are built.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
    ops::Deref,
    sync::Arc,
};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{base::start_error::StartError, json::section::parse_section};

/// Values by type, and the configuration sections of services and providers.
///
/// A gateway has one app. A test creates another, for the fields of a service or a provider:
///
/// ```
/// use std::sync::Arc;
///
/// use gateway_runtime::{App, Config, FromApp, model};
///
/// #[model]
/// struct Settings {
///     base: String,
/// }
///
/// struct Holidays(Vec<&'static str>);
///
/// #[derive(FromApp)]
/// struct Calendar {
///     settings: Config<Settings>,
///     holidays: Arc<Holidays>,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::default();
/// app.insert(Arc::new(Holidays(vec!["2026-12-25"])));
/// app.set_section("services.currency", serde_json::from_str(r#"{"base": "EUR"}"#)?);
///
/// let calendar = Calendar::from_app(&app.scope("services.currency"))?;
/// assert_eq!(calendar.settings.base, "EUR");
/// assert_eq!(calendar.holidays.0, ["2026-12-25"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct App {
    values: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    sections: HashMap<String, Map<String, Value>>,
}

impl App {
    /// Makes `value` available to fields of type `Arc<T>`. A second value of the same type replaces
    /// the first.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.values.insert(TypeId::of::<T>(), value);
    }

    /// Returns the value of a type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        Arc::clone(self.values.get(&TypeId::of::<T>())?).downcast().ok()
    }

    /// Sets the section that `Config<T>` reads in a field of `owner`, such as `providers.fixer_io`.
    pub fn set_section(&mut self, owner: impl Into<String>, section: Map<String, Value>) {
        self.sections.insert(owner.into(), section);
    }

    /// Returns the context in which `owner` is built.
    #[must_use]
    pub fn scope(&self, owner: impl Into<String>) -> BuildContext<'_> {
        BuildContext { app: self, owner: owner.into(), reads_config: std::cell::Cell::new(false) }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Sections hold secrets, so only their names are printed.
        f.debug_struct("App").field("sections", &self.sections.keys()).finish_non_exhaustive()
    }
}

/// The app, as the service or provider that is being built sees it.
#[derive(Debug)]
pub struct BuildContext<'a> {
    app: &'a App,
    owner: String,
    reads_config: std::cell::Cell<bool>,
}

impl BuildContext<'_> {
    /// Returns the app.
    #[must_use]
    pub fn app(&self) -> &App {
        self.app
    }

    /// Returns the name of the section of the service or provider: `services.currency`,
    /// `providers.fixer_io`.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Rejects a section that was not read: every key in it is unknown.
    pub(crate) fn reject_unread_section(&self) -> Result<(), StartError> {
        let Some(section) = self.app.sections.get(&self.owner).filter(|_| !self.reads_config.get())
        else {
            return Ok(());
        };
        let problem = |key: &String| {
            format!(
                "`{}.{key}` in the configuration: unknown key; the section has no settings of its \
                 own",
                self.owner
            )
        };
        StartError::from_problems(section.keys().map(problem).collect())
    }
}

/// A field of a service or a provider.
///
/// A struct whose fields are such types derives it: `#[derive(FromApp)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a service or a provider",
    label = "the app does not know how to make a `{Self}`",
    note = "fields are built from the app: `HttpClient`, `Db`, `Redis`, `Publisher`, `Config<T>` \
            for settings of its own section, `Arc<T>` \
            for a value given to `Gateway::with`, or a struct with `#[derive(FromApp)]`"
)]
pub trait FromApp: Sized {
    /// Builds the value once, at start.
    ///
    /// # Errors
    ///
    /// Says what is missing, and how to supply it.
    fn from_app(scope: &BuildContext<'_>) -> Result<Self, StartError>;
}

/// A value that the program passed to `Gateway::with`.
impl<T: Send + Sync + 'static> FromApp for Arc<T> {
    fn from_app(scope: &BuildContext<'_>) -> Result<Self, StartError> {
        scope.app.get::<T>().ok_or_else(|| {
            StartError::new(format!(
                "`{}` requires an `Arc<{}>`, which the gateway does not have\n\
                 help: add `.with(…)` to the gateway in `main`",
                scope.owner,
                type_name::<T>()
            ))
        })
    }
}

/// Typed settings from the owner's section of the configuration: `[providers.fixer_io]`,
/// `[services.currency]`.
///
/// The section is validated against the JSON Schema of `T`; unknown keys are errors. A missing
/// section is read as an empty one, so fields with `#[serde(default)]` are optional.
#[derive(Clone, Debug)]
pub struct Config<T>(Arc<T>);

impl<T> Config<T> {
    /// Creates settings from a value, for tests.
    pub fn new(settings: T) -> Self {
        Self(Arc::new(settings))
    }
}

impl<T> Deref for Config<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + JsonSchema> FromApp for Config<T> {
    fn from_app(scope: &BuildContext<'_>) -> Result<Self, StartError> {
        scope.reads_config.set(true);
        let section = scope.app.sections.get(&scope.owner).cloned().unwrap_or_default();
        parse_section(&scope.owner, Value::Object(section))
            .map_err(StartError::from_nonempty)
            .map(Self::new)
    }
}
