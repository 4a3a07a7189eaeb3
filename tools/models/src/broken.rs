//! The ways in which the models are broken on purpose.

/// A way to break a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A report about records of an earlier assignment counts for the current one.
    LateReportCounts,
    /// What was read is committed, as by Kafka's automatic commits.
    ReadIsCommitted,
    /// The offset moves past a record that waits, because the client has read on.
    WaitingIsPassed,
    /// A batch counts as settled while a document of it is set aside.
    SetAsideCounts,
    /// A document that is set aside is given up with any assignment of its partition, not only with its own.
    AnyAssignmentEnds,
    /// A refused commit is not repeated.
    CommitIsForgotten,
    /// A refusal proves that the document is at fault, whether or not others are accepted.
    RefusalIsProof,
    /// A witness that is refused like the document does not void the attempt.
    WitnessIsIgnored,
    /// A document that a full shard refuses is at fault.
    FullShardIsNotAsked,
    /// What a full shard refused counts as evidence once the shard has room again.
    FullShardIsEvidence,
    /// An index that refuses two documents is sent none until an operator says so.
    BlockIsFinal,
    /// A probe that is given up is not reported.
    ProbeIsForgotten,
    /// A new backing index takes documents immediately, without a margin.
    NoMargin,
    /// A table is used for placement times after its last.
    TableIsOld,
    /// The list of backing indices is read without waiting for the master.
    NoBarrier,
    /// Whatever is stored under an id counts as the same event.
    ConflictIsDuplicate,
    /// A document that is not found is written without reading the list again.
    MissIsWritten,
    /// The last pass of a replay ends where the topic ended before the old indices were closed.
    EndIsEarly,
    /// A replay goes on before the old index refuses writes.
    CloseDoesNotWait,
    /// The last pass of a replay writes to the new index by name instead of where the service would put it.
    RestGoesToOneIndex,
}

impl Broken {
    /// Every way.
    pub const ALL: [Self; 20] = [
        Self::LateReportCounts,
        Self::ReadIsCommitted,
        Self::WaitingIsPassed,
        Self::SetAsideCounts,
        Self::AnyAssignmentEnds,
        Self::CommitIsForgotten,
        Self::RefusalIsProof,
        Self::WitnessIsIgnored,
        Self::FullShardIsNotAsked,
        Self::FullShardIsEvidence,
        Self::BlockIsFinal,
        Self::ProbeIsForgotten,
        Self::NoMargin,
        Self::TableIsOld,
        Self::NoBarrier,
        Self::ConflictIsDuplicate,
        Self::MissIsWritten,
        Self::EndIsEarly,
        Self::CloseDoesNotWait,
        Self::RestGoesToOneIndex,
    ];
}
