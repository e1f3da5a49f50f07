//! Mistakes that the simulation must find, each in its own store, bus or device; the program has none of them.
//! To add one: name it here, make it at its place (`Bug::Name` is looked for there), and it is a test.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A place in the log is taken for the cursor's place whatever its tag says.
    TagNotChecked,
    /// A page of the log is served although rows are missing in it.
    HoleNotChecked,
    /// The log rows are committed after the message, in a transaction of their own.
    LogOutsideTransaction,
    /// The positions in the logs are read before the heads are locked.
    PositionBeforeLock,
    /// The number in the conversation is read before the heads are locked.
    NumberBeforeLock,
    /// The answer is given before COMMIT has returned.
    AnswerBeforeCommit,
    /// A lost connection in COMMIT is told as if nothing had been applied.
    UnknownToldAsUnavailable,
    /// There is no unique key of (sender, client_id), and nobody looks for it.
    NoUniqueKey,
    /// The same key with other content is taken for a repetition.
    ContentNotCompared,
    /// A read mark goes where it is told to, also back.
    ReadMarkFalls,
    /// An edit is made of the message as it was before the heads were locked.
    EditBeforeLock,
    /// A row of the log is written to somebody whom the message does not concern.
    LogOfAStranger,
    /// The head that a list of conversations carries is read after the list.
    HeadAfterList,
    /// A socket reads its log before it listens, and the poll of heads is left out.
    ListensAfterReading,
    /// Nobody reads the heads, whatever words the bus loses.
    NoPollOfHeads,
    /// A device takes the cursor of a `head` frame for its own.
    HeadMovesCursor,
    /// A device takes a new client_id for each try.
    RetryWithTheKeyForgotten,
    /// A device that is reset keeps what it had.
    ResetKeepsCache,
    /// A device that comes back goes on from the head.
    CursorForgotten,
    /// Heads are locked in the order in which the people of a message come.
    LocksInAnyOrder,
    /// Some reads are served by a replica that is behind.
    StaleReads,
    /// The number in the conversation is taken at once, and not given back by a rollback.
    NumberOutOfSequence,
    /// The running number of one side's messages counts both.
    UnreadCountsAll,
}

/// Each mistake, and the invariants that it must be caught by: every one of them, in some schedule.
pub const ALL: [(Bug, &[&str]); 23] = [
    (Bug::TagNotChecked, &["I10", "I17"]),
    (Bug::HoleNotChecked, &["I9", "I17"]),
    (Bug::LogOutsideTransaction, &["I9", "I10"]),
    (Bug::PositionBeforeLock, &["I8", "I9"]),
    (Bug::NumberBeforeLock, &["I7"]),
    (Bug::AnswerBeforeCommit, &["I1", "I12"]),
    (Bug::UnknownToldAsUnavailable, &["I18"]),
    (Bug::NoUniqueKey, &["I3", "I15"]),
    (Bug::ContentNotCompared, &["I15"]),
    (Bug::ReadMarkFalls, &["I16"]),
    (Bug::EditBeforeLock, &["I7"]),
    (Bug::LogOfAStranger, &["I14"]),
    (Bug::HeadAfterList, &["I10"]),
    (Bug::ListensAfterReading, &["I10"]),
    (Bug::NoPollOfHeads, &["I10"]),
    (Bug::HeadMovesCursor, &["I9"]),
    (Bug::RetryWithTheKeyForgotten, &["I3"]),
    (Bug::ResetKeepsCache, &["I10", "I11"]),
    (Bug::CursorForgotten, &["I9"]),
    (Bug::LocksInAnyOrder, &["I20"]),
    (Bug::StaleReads, &["I12", "I13"]),
    (Bug::NumberOutOfSequence, &["I4"]),
    (Bug::UnreadCountsAll, &["I16", "I22"]),
];
