//! The names of an object's members: detection of repeated names, and the index of objects with
//! many members.
//!
//! A repeated name counts once, at its first place, with its last value. A hostile object of many
//! equal or similar names costs no more than sorting them.

use crate::json::document::tape::{FEW_MEMBERS, Node, Tape, TextSpan, TextStores};

/// The names of an object while it is parsed.
pub(super) struct MemberNames {
    /// Index of the first name on the tape.
    start: u32,
    count: u32,
    /// Union of the names' fingerprints.
    seen: u64,
    repeats: bool,
}

impl MemberNames {
    /// Creates the names of an object whose first name will be at `start` of the tape.
    pub(super) fn new(start: u32) -> Self {
        Self { start, count: 0, seen: 0, repeats: false }
    }

    /// Adds a name, which is not yet on the `tape`.
    pub(super) fn add(&mut self, name: TextSpan, tape: &Tape, stores: TextStores<'_>) {
        let bytes = stores.bytes(name);
        let bit = fingerprint(bytes);
        // An object of many members gets an index in any case.
        if self.seen & bit != 0 && self.count <= FEW_MEMBERS && !self.repeats {
            self.repeats =
                places(tape, self.start, self.count).any(|at| name_at(tape, at, stores) == bytes);
        }
        self.seen |= bit;
        self.count += 1;
    }

    /// Returns the number of names, and whether one is repeated (known of few members only).
    pub(super) fn summary(&self) -> (u32, bool) {
        (self.count, self.repeats)
    }
}

/// Returns one bit of 64, the same for equal names.
fn fingerprint(name: &[u8]) -> u64 {
    let (first, last) = (name.first().copied().unwrap_or(0), name.last().copied().unwrap_or(0));
    let mixed = (u64::from(first) | u64::from(last) << 8 | (name.len() as u64) << 16)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    1 << (mixed >> 58)
}

/// Returns the indexes of the names of `members` members, the first at `start`.
fn places(tape: &Tape, start: u32, members: u32) -> impl Iterator<Item = u32> {
    let mut next = start;
    (0..members).map(move |_| {
        let at = next;
        next = tape.end(at + 1);
        at
    })
}

fn name_at<'a>(tape: &Tape, at: u32, stores: TextStores<'a>) -> &'a [u8] {
    match tape.node(at) {
        Node::Text(name) => stores.bytes(name),
        _ => &[],
    }
}

/// Returns the indexes of the names of an object whose first name is at `start`: in the order of
/// their first places, and sorted. The index of a repeated name is its last.
pub(super) fn index_members(
    tape: &Tape,
    start: u32,
    members: u32,
    stores: TextStores<'_>,
) -> (Vec<u32>, Vec<u32>) {
    let mut sorted: Vec<u32> = places(tape, start, members).collect();
    sorted.sort_unstable_by(|a, b| {
        name_at(tape, *a, stores).cmp(name_at(tape, *b, stores)).then(a.cmp(b))
    });
    let same = |a: &u32, b: &u32| name_at(tape, *a, stores) == name_at(tape, *b, stores);
    let mut unique: Vec<(u32, u32)> = sorted
        .chunk_by(same)
        .filter_map(|places| places.first().copied().zip(places.last().copied()))
        .collect();
    let sorted = unique.iter().map(|(_, last)| *last).collect();
    unique.sort_unstable();
    (unique.into_iter().map(|(_, last)| last).collect(), sorted)
}
