//! A word that may arrive in pieces.

/// A short word that may arrive in pieces: its first bytes.
pub(super) struct Word {
    bytes: [u8; Self::CAPACITY],
    length: u8,
}

impl Word {
    /// The length of the longest word that is compared, `transfer-encoding`, and one more.
    const CAPACITY: usize = 18;

    pub(super) const fn new() -> Self {
        Self { bytes: [0; Self::CAPACITY], length: 0 }
    }

    /// Appends bytes; those beyond the capacity are dropped.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for (place, byte) in self.bytes[usize::from(self.length)..].iter_mut().zip(bytes) {
            *place = *byte;
            self.length += 1;
        }
    }

    /// Appends the last piece, and returns the word. A word in one piece is not copied.
    #[inline]
    pub(super) fn complete<'w>(&'w mut self, piece: &'w [u8]) -> &'w [u8] {
        if self.length == 0 {
            return piece;
        }
        self.push(piece);
        self.as_bytes()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
    }
}
