//! The executor of HTTP/2 streams: they run on the thread of their worker, watched for stalls.

use std::{cell::Cell, rc::Rc, time::Duration};

use hyper::rt::Executor;

use crate::edge::http::connection::stall::{Waiting, Watched};

/// The stall state of the stream whose request the service has just received; hyper spawns the
/// stream at once.
pub(super) type Accepted = Rc<Cell<Option<Rc<Waiting>>>>;

/// An executor that runs the streams of HTTP/2 connections on the worker's own thread.
#[derive(Clone)]
pub(super) struct LocalExecutor {
    pub(super) accepted: Accepted,
    pub(super) write_timeout: Duration,
}

impl<F: Future<Output: 'static> + 'static> Executor<F> for LocalExecutor {
    fn execute(&self, stream: F) {
        match self.accepted.take() {
            Some(waiting) => {
                drop(tokio::task::spawn_local(Watched::new(stream, waiting, self.write_timeout)))
            }
            None => drop(tokio::task::spawn_local(stream)),
        }
    }
}
