//! The limits of what is reported about an invalid document.

use crate::json::violation::Violation;

/// Maximum number of violations that are reported; one more says that there are more.
pub(super) const MAX_VIOLATIONS: usize = Violation::MAX;
