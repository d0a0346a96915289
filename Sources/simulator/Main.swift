import ArgumentParser
import CommandLineTool
import Simulation
import StandardStreams

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The run under way, for the trap handler.
nonisolated(unsafe) private var running: Trace?

@main
struct SimulatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulator",
        abstract: "Runs whole clusters in one process, under faults of every kind, and checks every answer.",
        discussion: """
            A failing seed is printed with its step and the last events, and fails again the same way: \
            make simulate SEED=<seed> STEPS=<steps>.
            """
    )

    @Option(help: "The first seed.")
    var seed: UInt64 = 1

    @Option(help: "The number of seeds, one after the other.")
    var seeds: UInt64 = 1

    @Option(help: "Steps of each run before its faults end and its books are checked.")
    var steps = 10_000

    @Option(
        help: "A bug to plant: \(Mutant.allCases.map(\.rawValue).joined(separator: ", ")).",
        transform: { name in
            guard let mutant = Mutant(rawValue: name) else { throw ValidationError("there is no bug '\(name)'") }
            return mutant
        }
    )
    var mutant: Mutant?

    @Flag(help: "Only list the bugs that can be planted.")
    var listMutants = false

    static func main() { self.runToEnd() }

    func validate() throws {
        guard self.steps >= 1, self.seeds >= 1 else {
            throw ValidationError("a run has at least one seed and one step")
        }
    }

    func run() throws {
        if self.listMutants { return Mutant.allCases.forEach { CommandOutput.line($0.rawValue) } }
        Self.catchTraps()
        let trace = Trace()
        running = trace
        var tally = Report.Tally()
        var steps = 0
        let clock = ContinuousClock()
        let begun = clock.now
        for seed in self.seed..<(self.seed + self.seeds) {
            let report = Simulator.run(seed: seed, steps: self.steps, mutant: self.mutant, trace: trace)
            if let violation = report.violation {
                Self.tell(trace, violation)
                throw ExitCode(1)
            }
            tally += report.tally
            steps += report.steps
            if self.seeds == 1 { CommandOutput.line("seed \(seed): hash \(String(report.hash, radix: 16))") }
        }
        let seconds = (clock.now - begun) / .seconds(1)
        CommandOutput.line(
            "\(self.seeds) seeds, \(steps) steps, no violation: \(tally.facts) facts (\(tally.paymentsDone) payments, \(tally.cancellations) cancellations, "
                + "\(tally.paymentsRefused) refused; \(tally.lapsed) places and holds ran out), \(tally.duties) ticks held to their duties, \(tally.answers) answers "
                + "(\(tally.acknowledged) acknowledged, \(tally.heardAgain) once more), \(tally.sentAgain) requests sent again, "
                + "\(tally.unanswered) without an answer, \(tally.shed) shed, \(tally.handovers) handovers, "
                + "\(tally.silences) silent shards, \(tally.crashes) "
                + "crashes, \(tally.cuts) cuts, \(tally.compactions) compactions, \(tally.suspensions) full disks, "
                + "\(tally.suspendedStarts) starts on one, "
                + "\(tally.clockSuspensions) absurd clocks, \(tally.refusedStarts) damaged disks, \(tally.putBack) put back; "
                + "\(Int(Double(steps) / seconds)) steps a second"
        )
    }

    private static func tell(_ trace: Trace, _ violation: String) {
        CommandOutput.line("seed \(trace.seed), step \(trace.step): \(violation)")
        for line in trace.history { CommandOutput.line("  \(line)") }
    }

    /// A machine in an impossible state traps. The process is lost, but its trace is not: the trap comes from this
    /// thread's own code, so printing is as safe here as a moment before.
    private static func catchTraps() {
        for number in [SIGILL, SIGTRAP, SIGFPE] {
            signal(number) { _ in
                if let trace = running {
                    SimulatorCommand.tell(trace, "a machine trapped (built for debugging, it says why)")
                }
                _exit(2)
            }
        }
    }
}
