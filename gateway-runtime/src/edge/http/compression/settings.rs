//! `[http.compression]`: settings of the compression of responses.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[http.compression]`: gzip and brotli, for clients whose `Accept-Encoding` permits them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CompressionSettings {
    /// Compression of responses: on, if the program was built with the feature `compression`.
    pub enabled: bool,
    /// Size in bytes from which a body is compressed: 1 KiB.
    pub min_bytes: usize,
    /// Maximum of responses that are compressed piece by piece at once (streams, and bodies over 64
    /// KiB): 128, each with about 400 KiB of memory. Further ones are sent uncompressed.
    pub streams: usize,
}

impl Default for CompressionSettings {
    fn default() -> Self {
        Self { enabled: cfg!(feature = "compression"), min_bytes: 1024, streams: 128 }
    }
}

/// Returns the problem of enabled compression in a program that was built without it.
pub(in crate::edge::http) fn problem(settings: &CompressionSettings) -> Option<String> {
    (settings.enabled && !cfg!(feature = "compression")).then(|| {
        "`http.compression.enabled`: this program was built without compression\n\
         help: add the feature `compression` to gateway-runtime in Cargo.toml, or remove the key"
            .to_owned()
    })
}
