//! Black-box tests, one module a subject.

mod layering;
