//! The bound of SQLite's write-ahead log (WAL), by the size of its volume.
//!
//! A checkpoint copies pages from the log into the file, which may have to grow for it. A log that
//! fills the volume leaves no room for that, and only deleting other files makes room again. So the
//! log takes a small part of its volume.

use std::path::Path;

use rusqlite::Connection;

/// SQLite's default page size in bytes.
const PAGE: u32 = 4096;
/// The most pages before a checkpoint, 16 MiB: pages that many batches touch are copied once.
const MAX_PAGES: u64 = 4000;
/// The fewest pages before a checkpoint: a batch of 256 calls writes about as many.
const MIN_PAGES: u64 = 64;
/// The divisor of the part of the volume that the log may take.
const PART: u64 = 16;

/// Returns how many pages the log may have before a checkpoint.
pub(in crate::store) fn pages(path: &Path) -> u32 {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let volume =
        rustix::fs::statvfs(folder).map(|volume| volume.f_blocks.saturating_mul(volume.f_frsize));
    // Some file systems report no size.
    let size = volume.ok().filter(|size| *size > 0).unwrap_or(u64::MAX);
    pages_of(size)
}

fn pages_of(volume: u64) -> u32 {
    u32::try_from((volume / PART / u64::from(PAGE)).clamp(MIN_PAGES, MAX_PAGES)).unwrap_or(u32::MAX)
}

/// Returns the bytes of a log of `pages` pages. SQLite truncates a longer log to this size when it
/// restarts the log.
pub(in crate::store) fn bytes(pages: u32) -> i64 {
    const HEADER: i64 = 32;
    const FRAME_HEADER: u32 = 24;
    HEADER + i64::from(pages) * i64::from(FRAME_HEADER + PAGE)
}

/// Copies the log into the file, as far as no reader needs it, so that the log restarts in the room
/// that it has.
///
/// # Errors
///
/// Fails if the file has no room to grow. Nothing is lost then.
pub(in crate::store) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    // PASSIVE does not wait for readers, and the log keeps its room, which no other file can take
    // then.
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_takes_a_sixteenth_of_a_small_volume_and_16_mib_at_the_most() {
        const MIB: u64 = 1 << 20;
        for (volume, log) in
            [(1, 64), (12 * MIB, 192), (200 * MIB, 3200), (MIB * MIB, 4000), (u64::MAX, 4000)]
        {
            assert_eq!(pages_of(volume), log, "{volume}");
        }
        assert!((64..=4000).contains(&pages(Path::new("books.db"))), "a path without a folder");
        assert_eq!(pages(Path::new("/there/is/no/such/folder/books.db")), 4000);
    }
}
