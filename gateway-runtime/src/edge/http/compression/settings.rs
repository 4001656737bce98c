//! `[http.compression]`: which responses are compressed.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[http.compression]`: gzip and brotli, for clients whose `Accept-Encoding` allows them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CompressionSettings {
    /// Whether responses are compressed: yes, where the program was built with the feature `compression`.
    pub enabled: bool,
    /// Bytes of a body from which it is compressed: 1 KiB.
    pub min_bytes: usize,
    /// Responses that are compressed piece by piece at once, streams and bodies over 64 KiB: 128, of about 400 KiB of
    /// memory each. Further ones are sent as they are.
    pub streams: usize,
}

impl Default for CompressionSettings {
    fn default() -> Self {
        Self { enabled: cfg!(feature = "compression"), min_bytes: 1024, streams: 128 }
    }
}

/// What these settings ask for that the program cannot do.
pub(in crate::edge::http) fn problem(settings: &CompressionSettings) -> Option<String> {
    (settings.enabled && !cfg!(feature = "compression")).then(|| {
        "`http.compression.enabled`: this program was built without compression\nhelp: add `features = \
         [\"compression\"]` to gateway-runtime in Cargo.toml, or remove the key"
            .to_owned()
    })
}
