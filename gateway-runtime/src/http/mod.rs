//! The HTTP edge.

mod docs;
mod etag;
