//! A counter of the parser's steps, for tests.

use std::cell::Cell;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

pub(in crate::json::schema) fn add(steps: usize) {
    TAKEN.with(|taken| taken.set(taken.get() + steps));
}

/// Returns the number of steps that `read` takes.
pub(in crate::json::schema) fn of(read: impl FnOnce()) -> usize {
    TAKEN.with(|taken| taken.set(0));
    read();
    TAKEN.with(Cell::get)
}
