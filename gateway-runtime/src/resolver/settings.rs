//! The section `[resolvers]`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::resolver::DnsSettings;

/// The settings of the sources of instances.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ResolverSettings {
    /// The servers of DNS, and the time that a question may take.
    pub dns: DnsSettings,
}
