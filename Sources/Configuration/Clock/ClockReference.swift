public import Booking
import FoundationEssentials
import Reactor

/// The cluster's knowledge of the wall clock, by which a starting process recognises an absurd one: a file that the
/// supervisor writes, and every process reads when it starts.
///
///     same boot of the machine     the time is the clock since the boot, plus `offset`
///     another boot                 nothing is known; but a cluster stopped while it did not trust the wall clock
///                                  still does not trust it, from `time` on
public struct ClockReference: Codable, Equatable, Sendable {
    /// The kernel's name for this boot.
    var boot: String
    /// The cluster's time minus the clock since the boot, in nanoseconds.
    public var offset: Int64
    /// Whether the wall clock was not trusted.
    public var isSuspended: Bool
    /// The cluster's time when this was written, in seconds since 1970.
    var time: Int64

    /// Valid times: from 1970 to 2223.
    private static let seconds: ClosedRange<Int64> = 0...8_000_000_000

    /// The kernel's name for this boot of the machine (random(4)); empty where it has none, and then every boot is
    /// another.
    static let currentBoot: String = {
        guard let bytes = try? TextFile.read("/proc/sys/kernel/random/boot_id") else { return "" }
        return String(decoding: bytes, as: UTF8.self).filter { $0.isHexDigit || $0 == "-" }
    }()

    /// The time that it should be; nil when nothing is known.
    func expected(boot: String, sinceBoot: Nanoseconds) -> Timestamp? {
        if boot == self.boot, !boot.isEmpty {
            return Timestamp(nanoseconds: self.offset) + sinceBoot
        }
        return self.isSuspended ? self.lastKnown : nil
    }

    /// The same, in this boot and now.
    public func expected(_ readings: ClockReadings = ClockReadings()) -> Timestamp? {
        self.expected(boot: Self.currentBoot, sinceBoot: readings.sinceBoot())
    }

    /// The cluster's time is at least this. Tells a clock that starts far behind, and is corrected a moment later, from
    /// one that jumps absurdly.
    var lastKnown: Timestamp { Timestamp(seconds: self.time) }

    /// Nil for a missing or unreadable file, which says nothing about the clock.
    public static func read(_ state: StateDirectory) -> ClockReference? {
        guard let bytes = try? TextFile.read(state.clockFile),
            let reference = try? JSONDecoder().decode(ClockReference.self, from: Data(bytes)),
            Self.seconds.contains(reference.time), Self.seconds.contains(reference.offset / 1_000_000_000)
        else { return nil }
        return reference
    }

    /// Replaces the file whole.
    public func write(to state: StateDirectory) throws(FileError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let bytes: [UInt8]
        do { bytes = try Array(encoder.encode(self)) } catch {
            preconditionFailure("a clock's reference is no JSON: \(error)")
        }
        try TextFile.write(bytes + [0x0A], to: state.clockFile)
    }
}

extension StateDirectory {
    /// The time that it should be, for a starting process; nil when nothing is known.
    public func expectedTime(_ readings: ClockReadings = ClockReadings()) -> Timestamp? {
        ClockReference.read(self)?.expected(readings)
    }

    /// The wall clock, for a command that records it permanently; refused while it is absurdly ahead.
    public func saneTime(_ readings: ClockReadings = ClockReadings()) throws(StartError) -> Timestamp {
        let wall = readings.wall()
        guard let expected = self.expectedTime(readings), wall - expected >= ShardClock.absurdJump else { return wall }
        throw StartError(
            "the wall clock is \(MachineClock.days(wall - expected)) ahead of this cluster's time, and would be kept for good",
            remedy: "set the clock; or, if it is right, usher cluster trust-clock while the cluster runs"
        )
    }
}
