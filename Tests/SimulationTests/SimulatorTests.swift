import Glibc
import Simulation
import Testing

/// Longer runs: `make simulate`. Every bug that can be put in: `make simulate-mutants`.
struct SimulatorTests {
    @Test func `the same seed is the same run`() {
        for seed: UInt64 in 1...5 {
            let first = Simulator.run(seed: seed, steps: 2_000)
            #expect(Simulator.run(seed: seed, steps: 2_000) == first)
            #expect(Simulator.run(seed: seed + 1, steps: 2_000).hash != first.hash)
        }
    }

    @Test func `200 clusters in which everything goes wrong keep their word`() {
        var tally = Report.Tally()
        for seed: UInt64 in 1...200 {
            let report = Simulator.run(seed: seed, steps: 2_500)
            #expect(
                report.violation == nil,
                "seed \(seed), step \(report.steps)\n\(report.history.joined(separator: "\n"))"
            )
            tally += report.tally
        }
        // Runs in which nothing happened would pass as well.
        #expect(tally.acknowledged > 10_000)
        #expect(tally.duties > 10_000)
        #expect(tally.crashes > 500)
        #expect(tally.cuts > 200)
        #expect(tally.unanswered > 100)
        #expect(tally.cancellations > 100)
        #expect(tally.sentAgain > 1_000)
        #expect(tally.heardAgain > 1_000)
        #expect(tally.keysRefused > 100)
        #expect(tally.refusedStarts > 0)
        #expect(tally.suspensions > 30)
        #expect(tally.suspendedStarts > 10)
        #expect(tally.clockSuspensions > 30)
        #expect(tally.shed > 100)
        #expect(tally.handovers > 30)
        #expect(tally.silences > 5)
    }

    @Test func `a failing seed tells what happened last, and fails again the same way`() throws {
        let found = (1...50 as ClosedRange<UInt64>).lazy
            .map { Simulator.run(seed: $0, steps: 3_000, mutant: .diskLies) }
            .first { $0.violation != nil }
        let report = try #require(found)
        #expect(!report.history.isEmpty && report.history.count <= 30)
        #expect(Simulator.run(seed: report.seed, steps: 3_000, mutant: .diskLies) == report)
    }

    /// Bugs in shipped code are patches: `make simulate-mutants`. A machine that traps finds a bug as well as the books do.
    @Test(arguments: [Mutant.diskLies, .damageSkipped, .lastBatchNotReplayed])
    func `a bug that is put in on purpose is found`(mutant: Mutant) async {
        await #expect(processExitsWith: .failure) { [name = mutant.rawValue as String] in
            let mutant = Mutant(rawValue: name)!
            for seed in 1...200 as ClosedRange<UInt64> {
                if Simulator.run(seed: seed, steps: 5_000, mutant: mutant).violation != nil { exit(EXIT_FAILURE) }
            }
        }
    }
}
