//! A registry of any number of methods: the entries that the macros submit at link time, made at
//! run time.

use gateway_runtime::{
    __private as gw, App, Result, StartError,
    registry::{Registry, RegistrySettings},
};

use crate::mail::{Accepted, Message};

/// A service type; each version of it is a service of its own.
struct Desk<const VERSION: u32>;

impl<const VERSION: u32> gw::ServiceIdentity for Desk<VERSION> {
    const SPEC: &'static gw::ServiceSpec = &gw::ServiceSpec {
        name: "desk",
        version: VERSION,
        title: "A desk",
        description: "Takes messages.",
        auth: None,
        scopes: &[],
        source: gw::SourceLocation { file: file!(), line: line!() },
    };
}

/// The implementation of every method of the service.
struct Take<const VERSION: u32>;

impl<const VERSION: u32> gw::ExposedMethod for Take<VERSION> {
    type Service = Desk<VERSION>;
    type Arguments = (Message,);
    type Output = Result<Accepted>;

    async fn call(_: gw::Arc<Desk<VERSION>>, (message,): (Message,)) -> Result<Accepted> {
        Ok(Accepted { accepted: message.to.len() })
    }
}

/// The constructors of the entries of one service and its methods.
struct Entries {
    service: fn() -> gw::ServiceEntry,
    method: fn(gw::MethodSpec) -> gw::MethodEntry,
}

const fn entries<const VERSION: u32>() -> Entries {
    Entries {
        service: || {
            gw::ServiceEntry::new::<Desk<VERSION>>(|_| Ok(gw::Arc::new(Desk::<VERSION>)), None)
        },
        method: |spec| gw::MethodEntry::new::<Take<VERSION>>(spec, None),
    }
}

/// Ten services. A type gives one service, so the version is a const parameter.
const SERVICES: [Entries; 10] = [
    entries::<1>(),
    entries::<2>(),
    entries::<3>(),
    entries::<4>(),
    entries::<5>(),
    entries::<6>(),
    entries::<7>(),
    entries::<8>(),
    entries::<9>(),
    entries::<10>(),
];

/// Creates a registry of ten services that share `methods` methods evenly, each of which takes a
/// [`Message`]. The entries are leaked: they live as long as the program, as linked entries do.
///
/// # Errors
///
/// Fails if the registry is invalid, which no known number of methods causes.
pub fn registry(methods: usize) -> Result<Registry, StartError> {
    registry_of(methods, None)
}

/// Creates the registry of [`registry()`] with a cache for the replies of all methods.
///
/// # Errors
///
/// Fails if the registry is invalid, which no known number of methods causes.
pub fn registry_of(methods: usize, cache: Option<gw::CacheSpec>) -> Result<Registry, StartError> {
    let services = SERVICES.iter().map(|it| &*Box::leak(Box::new((it.service)())));
    let entry = |at: usize| {
        let name: &str = Box::leak(format!("take-{}", at / SERVICES.len()).into_boxed_str());
        let source = gw::SourceLocation { file: file!(), line: line!() };
        let spec = gw::MethodSpec {
            title: "Take",
            cache,
            ..gw::MethodSpec::new(name, gw::Verb::Post, source)
        };
        &*Box::leak(Box::new((SERVICES[at % SERVICES.len()].method)(spec)))
    };
    let entries = gw::Entries::of(services.collect(), (0..methods).map(entry).collect());
    Registry::from_entries(&entries, &App::default(), &RegistrySettings::default())
}
