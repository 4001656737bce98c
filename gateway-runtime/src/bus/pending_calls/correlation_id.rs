//! The correlation id of a call: its slot, and the generation of the slot.

/// The identity of a pending call: a slot and its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bus) struct CorrelationId {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

impl CorrelationId {
    /// Formats the id for the message.
    pub(in crate::bus) fn text(self) -> String {
        format!("{:x}.{:x}", self.slot, self.generation)
    }

    /// Parses the id of a reply.
    pub(in crate::bus) fn parse(text: &str) -> Option<Self> {
        let (slot, generation) = text.split_once('.')?;
        Some(Self {
            slot: u32::from_str_radix(slot, 16).ok()?,
            generation: u32::from_str_radix(generation, 16).ok()?,
        })
    }
}
