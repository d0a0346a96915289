import Booking
import Configuration
import Links
import Logging
import Reactor
import Wire

/// The supervisor's part when the wall clock jumps absurdly: keeps the reference that starting processes compare the
/// clock with, tells gateways when shards suspend changes, and passes on an operator's confirmation that the clock is
/// right.
extension Supervisor {
    /// Smaller differences of the offset do not count: clocks are slewed by up to 43 s a day.
    private static let offsetStep = Nanoseconds.seconds(60)

    /// Once a second.
    func watchClock() {
        let reference = self.clock.reference
        if let written = self.writtenClock, written.isSuspended == reference.isSuspended,
            abs(written.offset - reference.offset) < Self.offsetStep.rawValue
        {
            return
        }
        self.writeClock()
    }

    /// After a failure, as on a full disk, retried every second.
    func writeClock() {
        let reference = self.clock.reference
        do throws(FileError) {
            try reference.write(to: self.state)
            self.writtenClock = reference
        } catch {
            if self.writtenClock != nil || !self.isUp {
                self.log.warning(
                    "clock.json not written: after a restart an absurd clock may go unnoticed",
                    metadata: ["reason": "\(error)"]
                )
            }
            self.writtenClock = nil
        }
    }

    /// A shard has suspended changes because of the wall clock, resumed them, or is gone.
    func clockTold(_ isSuspended: Bool, by member: Member) {
        let were = !self.suspendedClocks.isEmpty
        if isSuspended { self.suspendedClocks.insert(member) } else { self.suspendedClocks.remove(member) }
        let are = !self.suspendedClocks.isEmpty
        guard were != are else { return }
        for other in self.machine.members where other.role == .gateway { self.tellClocks(to: other) }
        guard !are else { return }
        for asker in self.clockAskers { self.trusted(asker) }
        self.clockAskers = []
    }

    func tellClocks(to member: Member) {
        guard member.role == .gateway, let process = self.children[member]?.process else { return }
        self.tell(self.suspendedClocks.isEmpty ? .clocksResumed : .clocksSuspended, to: process)
    }

    /// `usher cluster trust-clock`. The asker is answered when all shards have followed.
    func trustClock(_ asker: ControlSocket.Asker) {
        guard self.clock.ahead != nil || !self.suspendedClocks.isEmpty else {
            return asker.end(
                failed:
                    "nothing is suspended: the wall clock is less than a day ahead, and the cluster's time follows it"
            )
        }
        self.clock.trust()
        self.writeClock()
        for child in self.children.values { self.tell(.trustClock, to: child.process) }
        guard !self.suspendedClocks.isEmpty else { return self.trusted(asker) }
        self.clockAskers.append(asker)
    }

    private func trusted(_ asker: ControlSocket.Asker) {
        asker.end(done: "The wall clock is trusted: it is \(self.clock.now.words), and changes are accepted.")
    }
}
