//! Why a merged file was refused.

/// What is wrong with a merged file. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Only one side changed the file, or both made it the same, and the result is something else.
    #[error("only one answer is possible without a merge, and the result is another")]
    NotIdentity,
    /// A deleted and a changed file have no common result.
    #[error("one side deleted the file and the other changed it, so a result undoes one of them")]
    DeleteModify,
    /// The result is no file, though neither side deleted it.
    #[error("neither side deleted the file, and the result does")]
    Deleted,
    /// A file that is not text was merged by lines.
    #[error("the file is not text and was changed by both sides")]
    Binary,
    /// A file that a program writes was merged by lines.
    #[error("a program writes this file, and both sides changed it; generate it again")]
    Generated,
    /// The byte-order mark is not that of the side that changed it.
    #[error("the byte-order mark is not as the side that changed it has it")]
    ByteOrderMark,
    /// The line endings are not those of the side that changed them.
    #[error("the line endings are not as the side that changed them has them")]
    LineEndings,
    /// The final newline is not that of the side that changed it.
    #[error("the final newline is not as the side that changed it has it")]
    FinalNewline,
    /// A conflict marker that neither side has.
    #[error("line {line} is a conflict marker that neither side has")]
    Marker {
        /// The line of the result.
        line: usize,
    },
    /// A line that neither side wrote: fused, doubled, or decoded and written anew.
    #[error("line {line} is one that neither side wrote: '{text}'")]
    Foreign {
        /// The line of the result.
        line: usize,
        /// Its beginning.
        text: String,
    },
    /// Both sides changed the same lines, each in its own way.
    #[error("both sides changed what stands at line {line} of the base, each in its own way")]
    BothChanged {
        /// The line of the base.
        line: usize,
    },
    /// The sides changed lines that touch.
    #[error("the sides changed lines beside each other at line {line} of the base")]
    Adjacent {
        /// The line of the base.
        line: usize,
    },
    /// A line that both sides kept is missing or out of order.
    #[error("a line that both sides kept is missing or out of order: '{text}'")]
    LineLost {
        /// Its beginning.
        text: String,
    },
    /// A line that one side wrote is missing or out of order.
    #[error("a line that one side wrote is missing or out of order: '{text}'")]
    EditLost {
        /// Its beginning.
        text: String,
    },
    /// A line that one side deleted is back.
    #[error("a line that one side deleted is back: '{text}'")]
    DeletionUndone {
        /// Its beginning.
        text: String,
    },
    /// A line stands more often than the sides' changes account for.
    #[error("a line stands more often than both sides' changes account for: '{text}'")]
    Repeated {
        /// Its beginning.
        text: String,
    },
    /// Both sides inserted the same lines, or moved one line, to different places.
    #[error("both sides put the same text at different places, and the result has it twice: '{text}'")]
    Twice {
        /// The beginning of the first line.
        text: String,
    },
    /// Both sides can be parsed, and the result cannot.
    #[error("both sides can be parsed, and the result cannot")]
    Unparsed,
    /// The versions are well-formed data, and the result is not.
    #[error("the versions are well-formed data, and the result is not")]
    DataBroken,
    /// A key stands twice in one object, and in no version.
    #[error("a key stands twice in one object, and in no version")]
    DataKeyTwice,
    /// The value of the result is not the merge of the versions' values.
    #[error("the value of the result is not the merge of the versions' values")]
    DataValue,
    /// Both sides added a definition of one name, at different places.
    #[error("both sides added a definition of the same name, and the result has both")]
    DefinedTwice,
    /// Swapping the sides gives another result.
    #[error("swapping the sides gives another result")]
    Asymmetric,
    /// Merging the result with a side again changes it.
    #[error("merging the result with one of its sides again changes it")]
    NotIdempotent,
}
