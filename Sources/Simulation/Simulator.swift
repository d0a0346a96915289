import Booking

/// Runs seeds.
public enum Simulator {
    /// How many steps a run may take to settle once all troubles are over.
    private static let settlingStepsMax = 200_000

    /// One run of one seed: `steps` steps with everything going wrong that its plan says, then until all is settled.
    /// What goes wrong in the machines themselves traps: `trace` then says where it came to.
    public static func run(seed: UInt64, steps: Int, mutant: Mutant? = nil, trace: Trace = Trace()) -> Report {
        let world = World(seed: seed, mutant: mutant, trace: trace)
        while trace.step < steps, world.auditor.violation == nil { world.step() }
        if world.auditor.violation == nil { world.heal(stepsMax: Self.settlingStepsMax) }
        return Report(
            seed: seed,
            steps: trace.step,
            hash: trace.hash,
            tally: world.tally,
            violation: world.auditor.violation,
            history: world.auditor.violation == nil ? [] : trace.history
        )
    }
}

/// What became of one run.
public struct Report: Equatable, Sendable {
    /// What happened in it, for people who wonder whether it was worth its time.
    public struct Tally: Equatable, Sendable {
        public internal(set) var facts = 0
        public internal(set) var answers = 0
        public internal(set) var acknowledged = 0
        public internal(set) var paymentsDone = 0
        public internal(set) var paymentsRefused = 0
        public internal(set) var cancellations = 0
        /// Places and holds that ran out.
        public internal(set) var lapsed = 0
        /// Ticks by which everything that was due had to be done, in the books.
        public internal(set) var duties = 0
        /// Requests that gateways sent again, and answers that fans got again by their keys.
        public internal(set) var sentAgain = 0
        public internal(set) var heardAgain = 0
        /// Keys that were one too many of their user.
        public internal(set) var keysRefused = 0
        public internal(set) var keysOfAddressRefused = 0
        /// Requests that ended without an answer.
        public internal(set) var unanswered = 0
        /// Requests that gateways refused for too much work, gateways that handed over to a successor, and shards that gateways
        /// noticed to be silent.
        public internal(set) var shed = 0
        public internal(set) var handovers = 0
        public internal(set) var silences = 0
        public internal(set) var crashes = 0
        public internal(set) var cuts = 0
        public internal(set) var compactions = 0
        /// Batches that a full disk refused.
        public internal(set) var suspensions = 0
        /// Starts on a full disk.
        public internal(set) var suspendedStarts = 0
        /// Times that a shard did not believe its wall clock.
        public internal(set) var clockSuspensions = 0
        /// Disks that were put back to an older copy.
        public internal(set) var putBack = 0
        /// Starts from a damaged disk that were refused.
        public internal(set) var refusedStarts = 0

        public init() {}

        mutating func count(_ fact: Fact) {
            self.facts += 1
            switch fact {
            case .lapsed, .released(_, _, .lapsed, _): self.lapsed += 1
            case .paymentRefused: self.paymentsRefused += 1
            case .paymentDone: self.paymentsDone += 1
            case .cancelDone: self.cancellations += 1
            default: break
            }
        }

        public static func += (left: inout Tally, right: Tally) {
            left.facts += right.facts
            left.answers += right.answers
            left.acknowledged += right.acknowledged
            left.paymentsDone += right.paymentsDone
            left.paymentsRefused += right.paymentsRefused
            left.cancellations += right.cancellations
            left.lapsed += right.lapsed
            left.duties += right.duties
            left.sentAgain += right.sentAgain
            left.heardAgain += right.heardAgain
            left.keysRefused += right.keysRefused
            left.keysOfAddressRefused += right.keysOfAddressRefused
            left.unanswered += right.unanswered
            left.shed += right.shed
            left.handovers += right.handovers
            left.silences += right.silences
            left.crashes += right.crashes
            left.cuts += right.cuts
            left.compactions += right.compactions
            left.suspensions += right.suspensions
            left.suspendedStarts += right.suspendedStarts
            left.clockSuspensions += right.clockSuspensions
            left.refusedStarts += right.refusedStarts
            left.putBack += right.putBack
        }
    }

    public let seed: UInt64
    public let steps: Int
    /// Over everything that happened: the same seed has the same, as long as the code is the same.
    public let hash: UInt64
    public let tally: Tally
    /// What was wrong; nil when nothing was.
    public let violation: String?
    /// The last things that happened before it.
    public let history: [String]
}
