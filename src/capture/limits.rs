//! How much one hit may capture.

/// Limits of one snapshot or log line.
///
/// A host stops at them while it walks values, so that it never collects what nobody will see. The encoder holds every
/// host to them all the same, and says in `cut` what it left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many levels of collections and objects are shown inside each other. The encoder ends at 32 in any case.
    pub depth: u32,
    /// Items of a collection.
    pub items: u32,
    /// Items of a collection in a named expression, which somebody asked for.
    pub named_items: u32,
    /// Characters of a text.
    pub text_chars: u32,
    /// Characters of a text in a named expression. A log message may be four times as long, in bytes.
    pub named_text_chars: u32,
    /// Fields of an object.
    pub fields: u32,
    /// Frames of the stack, the innermost first.
    pub frames: u32,
    /// How many of the frames show their locals.
    pub frames_with_locals: u32,
    /// Bytes of the JSON text as a whole. Under 12 KiB counts as 12 KiB, which is room for the head and the ends.
    pub snapshot_bytes: u32,
}

impl Limits {
    /// What holds where nothing else is asked for.
    pub const DEFAULT: Self = Self {
        depth: 3,
        items: 25,
        named_items: 100,
        text_chars: 256,
        named_text_chars: 4 * 1024,
        fields: 50,
        frames: 20,
        frames_with_locals: 4,
        snapshot_bytes: 64 * 1024,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
