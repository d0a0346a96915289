import Booking
import Testing

@Suite struct LineRulesTests {
    @Test func `rules are those of the contract unless set`() {
        let rules = LineRules()
        #expect(rules.admissionsPerSecond == 50)
        #expect(rules.maxActive == 0)
        #expect(rules.waitingLifetime == .minutes(30))
        #expect(rules.admittedLifetime == .minutes(5))
    }

    @Test func `a rate of 0 traps`() async {
        await #expect(processExitsWith: .failure) { _ = LineRules(admissionsPerSecond: 0) }
    }

    @Test func `a lifetime of nothing traps`() async {
        await #expect(processExitsWith: .failure) { _ = LineRules(waitingLifetime: .zero) }
        await #expect(processExitsWith: .failure) { _ = LineRules(admittedLifetime: .zero) }
    }
}
