//! Black-box tests, one module a subject.

mod http_edge;
mod layering;
