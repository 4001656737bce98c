//! The names of an object's members: detection of repeated names, and the index of objects with
//! many members.
//!
//! A repeated name counts once, at its first place, with its last value. A hostile object of many
//! equal or similar names costs no more than sorting them.

use crate::json::document::tape::{FEW_MEMBERS, MemberIndex, Node, Tape, TextSpan, TextStores};

/// The names of an object while it is parsed.
pub(super) struct MemberNames {
    /// Index of the first name on the tape.
    start: u32,
    count: u32,
    /// Union of the names' fingerprints.
    seen: u64,
    /// True if a name comes twice; known of few members only.
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
            self.repeats = names(tape, self.start, self.count)
                .any(|name| name_at(tape, name, stores) == bytes);
        }
        self.seen |= bit;
        self.count += 1;
    }

    /// Ends the object that begins at `head` of the tape.
    pub(super) fn close_object(&self, tape: &mut Tape, head: u32, stores: TextStores<'_>) {
        close_object(tape, head, self.count, self.repeats, stores);
    }
}

/// Returns one bit of 64, the same for equal names.
fn fingerprint(name: &[u8]) -> u64 {
    let first = name.first().copied().unwrap_or(0);
    let last = name.last().copied().unwrap_or(0);
    let mixed = (u64::from(first) | u64::from(last) << 8 | (name.len() as u64) << 16)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    1 << (mixed >> 58)
}

/// Returns the indexes of the names of `members` members, the first at `start`.
fn names(tape: &Tape, start: u32, members: u32) -> impl Iterator<Item = u32> {
    let mut next = start;
    (0..members).map(move |_| {
        let name = next;
        next = tape.end(name + 1);
        name
    })
}

fn name_at<'a>(tape: &Tape, index: u32, stores: TextStores<'a>) -> &'a [u8] {
    match tape.node(index) {
        Node::Text(name) => stores.bytes(name),
        _ => &[],
    }
}

/// Ends an object of `members` members; `repeats` says whether a name comes more than once.
pub(super) fn close_object(
    tape: &mut Tape,
    head: u32,
    members: u32,
    repeats: bool,
    stores: TextStores<'_>,
) {
    if members <= FEW_MEMBERS && !repeats {
        tape.close_plain_object(head, members);
    } else {
        tape.close_indexed_object(head, index_members(tape, head + 1, members, stores));
    }
}

/// Returns the index of an object whose first name is at `start`. The index of a repeated name is
/// that of its last place.
fn index_members(tape: &Tape, start: u32, members: u32, stores: TextStores<'_>) -> MemberIndex {
    let mut sorted: Vec<u32> = names(tape, start, members).collect();
    sorted.sort_unstable_by(|a, b| {
        name_at(tape, *a, stores).cmp(name_at(tape, *b, stores)).then(a.cmp(b))
    });
    let same = |a: &u32, b: &u32| name_at(tape, *a, stores) == name_at(tape, *b, stores);
    // The first and the last place of each name.
    let mut unique: Vec<(u32, u32)> = sorted
        .chunk_by(same)
        .filter_map(|places| places.first().copied().zip(places.last().copied()))
        .collect();
    let by_name = unique.iter().map(|(_, last)| *last).collect();
    unique.sort_unstable();
    MemberIndex { as_they_come: unique.into_iter().map(|(_, last)| last).collect(), by_name }
}
