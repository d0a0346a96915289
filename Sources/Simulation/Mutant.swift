/// Bugs put in on purpose, around the machines: each must be found, or the simulator looks in the wrong place. Bugs that
/// can only live inside a machine are patches beside the tests.
public enum Mutant: String, CaseIterable, Sendable {
    /// Replies leave while their batch is under way.
    case replyBeforeCommit
    /// Answers that changed nothing do not wait for the batch under way.
    case readBeforeCommit
    /// A debit leaves before the start of its payment is durable.
    case debitBeforeCommit
    /// The last fact of a batch of several is not written.
    case factNotWritten
    /// A shard believes its disk, which lies: the newest batch is gone after a crash.
    case diskLies
    /// A restart takes what there is of a record that a crash cut short.
    case tornBatchTaken
    /// A restart skips a damaged record and goes on.
    case damageSkipped
    /// A snapshot does not say which payments were debited.
    case debitsLeftOutOfSnapshot
    /// A debit that is asked again is carried out again.
    case debitTwice
    /// A credit that is asked again is carried out again.
    case creditTwice
    /// A snapshot does not say which cancellations were credited.
    case creditsLeftOutOfSnapshot
    /// A snapshot does not say which cancellations there are.
    case cancellationsLeftOutOfSnapshot
    /// A credit counts as done when it is asked for: the seats are free before the points are back.
    case seatsFreedBeforeCredit
    /// A lost link to the user's shard counts as a refused debit.
    case lostDebitIsRefused
    /// Debits and credits are asked for once only.
    case transferNotAskedAgain
    /// A snapshot does not say what was answered.
    case answersLeftOutOfSnapshot
    /// A restarted shard does not take in the newest batch.
    case lastBatchNotReplayed
    /// The replies that waited for a batch leave, although a full disk refused it.
    case refusedBatchIsAnswered
    /// What a full disk refused stays in the state that reads are answered from.
    case refusedBatchStaysInState
    /// A shard whose disk is full goes on deciding.
    case decidesWithoutRoom
    /// A shard whose clock can't be believed goes on deciding.
    case decidesBySuspendedClock
    /// A shard that starts believes whatever the wall clock says.
    case absurdClockBelievedAtStart
    /// A shard says "refused" while it carries the request out.
    case doneButRefused
}
