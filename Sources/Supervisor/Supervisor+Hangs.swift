import Configuration
import Links
import Reactor

/// The supervisor's treatment of hung processes.
extension Supervisor {
    private static let askMilliseconds: UInt64 = 1_000

    func watchForHangs() {
        self.hangTimer.start(afterMilliseconds: Self.askMilliseconds, everyMilliseconds: Self.askMilliseconds) {
            [unowned self] in
            self.askAll()
            self.writeClusterFileIfDue()
            self.watchClock()
        }
    }

    private func askAll() {
        let members = self.machine.members.filter { self.children[$0] != nil }
        for member in self.hangs.ask(members, limit: self.configuration.cluster.hangTimeoutSeconds) {
            self.carryOut(self.machine.hangs(member, at: self.now))
        }
        for member in members {
            guard let process = self.children[member]?.process else { continue }
            self.tell(.ping, to: process)
        }
    }
}
