public import Booking
import FoundationEssentials

/// Every setting of Usher, resolved: what all processes of one cluster run with.
///
/// The groups and their stored properties have the names of the settings, and the values of their properties by default; each
/// stands beside its row of the table (`*Settings.swift`), which has its range, its unit and its meaning.
public struct ServerConfiguration: Equatable, Sendable {
    public var cluster = Cluster()
    public var gateway = Gateway()
    public var `operator` = Operator()
    public var shard = Shard()
    public var booking = BookingRules()
    public var catalogue = CatalogueSource()
    public var journal = Journal()
    public var log = Log()
    public var accessLog = AccessLog()
    public var identity = Identity()

    /// Connections to the operator's port of one gateway process. No setting: a few monitors ask over one each, and idle ones
    /// are closed after seconds. Fewer where a process may have few descriptors (`DescriptorBudget`).
    public var operatorConnectionsMax = 64

    public init() {}

    /// The content of a settings file that gives exactly these settings. The supervisor writes it to the state folder, and
    /// starts its children with nothing else.
    public func fileContent() -> [UInt8] {
        var groups: [String: [String: Setting.Value]] = [:]
        for setting in Settings.all {
            let name = setting.components
            groups[name[0], default: [:]][name[1]] = setting.value(in: self)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do { return try Array(encoder.encode(groups)) } catch {
            preconditionFailure("settings that are no JSON: \(error)")
        }
    }

    public var stateDirectory: StateDirectory { StateDirectory(path: self.cluster.state) }

    /// `booking.*` as the catalogue wants it. The settings table has checked every range.
    public var rules: ConcertRules {
        get {
            var rules = ConcertRules()
            rules.admissionsPerSecond = UInt32(self.booking.admissionsPerSecond)
            rules.maxActive = UInt32(self.booking.maxActive)
            rules.waitingLifetime = .seconds(Int64(self.booking.waitingLifetimeSeconds))
            rules.admittedLifetime = .seconds(Int64(self.booking.admittedLifetimeSeconds))
            rules.holdTime = .seconds(Int64(self.booking.holdTimeSeconds))
            rules.cancelTime = .seconds(Int64(self.booking.cancelTimeSeconds))
            rules.cancelNotice = .seconds(Int64(self.booking.cancelNoticeSeconds))
            rules.maxSeatsPerReservation = UInt32(self.booking.maxSeatsPerReservation)
            rules.heldSeatsPerUserMax = UInt32(self.booking.heldSeatsPerUserMax)
            rules.seatsPerUserMax = UInt32(self.booking.seatsPerUserMax)
            return rules
        }
        set {
            self.booking.admissionsPerSecond = Int(newValue.admissionsPerSecond)
            self.booking.maxActive = Int(newValue.maxActive)
            self.booking.waitingLifetimeSeconds = newValue.waitingLifetime.seconds
            self.booking.admittedLifetimeSeconds = newValue.admittedLifetime.seconds
            self.booking.holdTimeSeconds = newValue.holdTime.seconds
            self.booking.cancelTimeSeconds = newValue.cancelTime.seconds
            self.booking.cancelNoticeSeconds = newValue.cancelNotice.seconds
            self.booking.maxSeatsPerReservation = Int(newValue.maxSeatsPerReservation)
            self.booking.heldSeatsPerUserMax = Int(newValue.heldSeatsPerUserMax)
            self.booking.seatsPerUserMax = Int(newValue.seatsPerUserMax)
        }
    }

    /// The zone of every written time. The settings table has checked that it exists.
    public var zone: Zone {
        guard let zone = Zone(named: self.booking.timeZone) else {
            preconditionFailure("time zone \(self.booking.timeZone) was checked and is gone")
        }
        return zone
    }
}

extension Nanoseconds {
    /// As settings count lifetimes.
    fileprivate var seconds: Int { Int(self.rawValue / 1_000_000_000) }
}
