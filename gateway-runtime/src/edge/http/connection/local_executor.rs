//! The executor of HTTP/2 streams: they run on the thread of their worker, watched for stalls. That
//! of a tunnel is watched for resets.

use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};

use hyper::rt::Executor;

use crate::edge::http::connection::{
    stall::{Waiting, Watched},
    tunnel_client::{StreamReset, TunnelStream},
};

/// The stall state of the stream whose request the service has just received; hyper spawns the
/// stream at once.
pub(super) type Accepted = Rc<Cell<Option<Rc<Waiting>>>>;

/// The reset of the stream that has just become a tunnel; hyper spawns the sending half at once.
pub(super) type Switched = Rc<Cell<Option<Arc<StreamReset>>>>;

/// An executor that runs the streams of HTTP/2 connections on the worker's own thread.
#[derive(Clone)]
pub(super) struct LocalExecutor {
    pub(super) accepted: Accepted,
    pub(super) switched: Switched,
    pub(super) write_timeout: Duration,
}

impl<F: Future<Output: 'static> + 'static> Executor<F> for LocalExecutor {
    fn execute(&self, stream: F) {
        match self.accepted.take() {
            Some(waiting) => {
                drop(tokio::task::spawn_local(Watched::new(stream, waiting, self.write_timeout)))
            }
            None => match self.switched.take() {
                Some(reset) => drop(tokio::task::spawn_local(TunnelStream::new(stream, reset))),
                None => drop(tokio::task::spawn_local(stream)),
            },
        }
    }
}
