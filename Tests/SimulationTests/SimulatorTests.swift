import Simulation
import Testing

struct SimulatorTests {
    @Test func `the same seed is the same run`() {
        for seed: UInt64 in 1...5 {
            let first = Simulator.run(seed: seed, steps: 2_000)
            #expect(Simulator.run(seed: seed, steps: 2_000) == first)
            #expect(Simulator.run(seed: seed + 1, steps: 2_000).hash != first.hash)
        }
    }
}
