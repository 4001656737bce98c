//! Support of the unit tests of layers: a mock inner service, calls of a test method, and a store
//! in a temporary file.

pub(in crate::pipeline) mod mock_service;
pub(in crate::pipeline) mod test_call;
pub(in crate::pipeline) mod test_store;
