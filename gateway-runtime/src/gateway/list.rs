//! The output of `--list`: the services, methods and providers, and their source locations.

use std::fmt::Write;

use crate::service::registry::Registry;

/// Returns the list of services with their methods, and of providers.
pub(super) fn of(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, registry);
    text
}

fn write(text: &mut String, registry: &Registry) -> std::fmt::Result {
    writeln!(text, "services")?;
    for service in registry.services() {
        writeln!(
            text,
            "  {}/v{}  ({})",
            service.spec.name, service.spec.version, service.spec.source
        )?;
        for method in &service.methods {
            writeln!(
                text,
                "    {:6} {}  ({})",
                method.spec.verb.as_str(),
                method.path(),
                method.spec.source
            )?;
        }
    }
    writeln!(text, "providers")?;
    for provider in registry.providers() {
        let capabilities =
            registry.capabilities_of(provider.spec().name).collect::<Vec<_>>().join(", ");
        writeln!(text, "  {}  ({})  {capabilities}", provider.spec().name, provider.spec().source)?;
    }
    Ok(())
}
