/// Forecasts when places inside a full line come free, for people who wait.
///
///     places free by then
///       ▲            stays that end (exact)        ┌────  beyond one lifetime: the average stay
///       │                    ┌─────────────────────┘
///       │   ┌────────────────┘
///       └───┴────────────────────────────────────────▶ time
///          + a steady rate of early departures, as measured lately
///
/// Two things are known. **Stays that end:** everyone inside is counted by the end of their stay, in steps of 1/32 of
/// the lifetime, so the latest departure of the k-th of them is known to a step. **Early departures:** people pay or
/// leave before that. Their rate is measured per person and second inside (departures divided by exposure, as
/// epidemiologists do), which is right from the first departures on, also while the room fills. Old departures and
/// exposure count less, with a time constant of a minute, but at least the last eight stays count.
///
/// An estimate, not a fact: it depends on facts and their times, so a replay gives the same. A snapshot does not keep
/// early departures; after a restart they are measured anew, and until then the forecast uses lifetimes alone.
struct RoomForecast: ~Copyable {
    /// Steps of a lifetime. The present may split the last one.
    static let steps = 32
    /// The steps of one lifetime ahead, and room for stays that are over but not cleared yet.
    private static let ringCount = 64
    /// The age at which measurements count half: "the last minute or so".
    static let memory = Nanoseconds.seconds(60)
    /// The least weight that earlier stays keep after one departure: they lose at most an eighth, so that rare
    /// departures are remembered longer.
    private static let weightKeptMin = 0.875
    /// Fewer early departures are weighted in part only.
    private static let departuresTrusted = 2.5
    /// How long a forecast is valid unless somebody comes or goes.
    private static let freshness = Nanoseconds.milliseconds(100)
    /// More than any lifetime: 30 years.
    private static let longest = 1e18

    private let lifetime: Nanoseconds
    private let width: Int64
    /// Stays that end in each step, by the step's number modulo `ringCount`. Empty until the first admission.
    private var endings: [UInt32] = []
    private(set) var inside: UInt64 = 0
    /// Early departures, and seconds that people were inside; both weighted.
    private var departures = 0.0
    private var exposure = 0.0
    private var exposedUntil = Timestamp.distantPast
    private var lastEndingAt = Timestamp.distantPast

    /// Nanoseconds from `madeAt` to the end of each step of the forecast, and the places free by then.
    private var ends: [Double] = []
    private var freeBy: [Double] = []
    /// Stays that are over, but not cleared.
    private var freeNow = 0.0
    /// The places free one lifetime ahead, when that is, and nanoseconds a place beyond it.
    private var knownFree = 0.0
    private var knownEnd = 0.0
    private var pace = 0.0
    /// From `madeAt` to the end of the first stay; nil when nobody is inside.
    private var firstFree: Double?
    private var hasEarly = false
    private var madeAt: Timestamp?

    /// `lifetime` is positive.
    init(lifetime: Nanoseconds) {
        self.lifetime = lifetime
        self.width = (lifetime.rawValue + Int64(Self.steps) - 1) / Int64(Self.steps)
    }

    // MARK: Facts

    /// Somebody was admitted whose stay ends at `end`, unless they go before.
    mutating func entered(until end: Timestamp, at now: Timestamp) {
        if self.endings.isEmpty { self.endings = Array(repeating: 0, count: Self.ringCount) }
        self.expose(to: now)
        self.endings[self.slot(of: end)] += 1
        self.inside += 1
    }

    /// Somebody's stay ends later than expected.
    mutating func moved(from end: Timestamp, to later: Timestamp) {
        self.madeAt = nil
        self.endings[self.slot(of: end)] -= 1
        self.endings[self.slot(of: later)] += 1
    }

    /// Somebody whose stay would have ended at `end` is gone: early, or because it is over.
    mutating func ended(until end: Timestamp, isEarly: Bool, at now: Timestamp) {
        self.expose(to: now)
        self.endings[self.slot(of: end)] -= 1
        self.inside -= 1
        let passed = Double((max(now, self.lastEndingAt) - self.lastEndingAt).rawValue)
        let memory = Double(Self.memory.rawValue)
        let kept = max(memory / (memory + passed), Self.weightKeptMin)
        self.exposure *= kept
        self.departures = self.departures * kept + (isEarly ? 1 : 0)
        self.lastEndingAt = max(self.lastEndingAt, now)
    }

    /// Resets the measurement of early departures.
    mutating func measureAnew(from now: Timestamp) {
        self.departures = 0
        self.exposure = 0
        self.exposedUntil = max(self.exposedUntil, now)
        self.madeAt = nil
    }

    private mutating func expose(to now: Timestamp) {
        self.madeAt = nil
        if self.inside > 0, now > self.exposedUntil {
            self.exposure += Double(self.inside) * Double((now - self.exposedUntil).rawValue)
        }
        self.exposedUntil = max(self.exposedUntil, now)
    }

    private func step(of moment: Timestamp) -> Int64 {
        // Rounds down, also before 1970: tests count from there.
        let (quotient, remainder) = moment.nanoseconds.quotientAndRemainder(dividingBy: self.width)
        return remainder < 0 ? quotient - 1 : quotient
    }

    private func slot(of moment: Timestamp) -> Int { Self.slot(ofStep: self.step(of: moment)) }

    private static func slot(ofStep step: Int64) -> Int { Int(step & Int64(Self.ringCount - 1)) }

    // MARK: The forecast

    /// Whether `make` has to be called before `time(until:)`.
    @inline(__always)
    func isStale(at now: Timestamp) -> Bool {
        guard let madeAt = self.madeAt else { return true }
        return now < madeAt || now - madeAt >= Self.freshness
    }

    /// Makes the forecast at `now`, where `most` people may be inside and the first stay ends at `firstEnd`. O(steps),
    /// 0.1 µs.
    mutating func make(at now: Timestamp, most: UInt32, firstEnd: Timestamp?) {
        self.madeAt = now
        if self.endings.isEmpty { self.endings = Array(repeating: 0, count: Self.ringCount) }
        if self.ends.isEmpty {
            self.ends = Array(repeating: 0, count: Self.steps + 1)
            self.freeBy = self.ends
        }
        let most = Double(most)
        let early = self.departuresPerNanosecond(at: now)
        let first = self.step(of: now)
        self.freeNow = 0
        for back in 1...Int64(Self.ringCount - Self.steps - 1) {
            self.freeNow += Double(self.endings[Self.slot(ofStep: first - back)])
        }
        // The share of people inside who stay to the end: e^-x for a step, by its series.
        let x = early * Double(self.width)
        let kept = 1 / (1 + x + x * x / 2)
        let lifetime = Double(self.lifetime.rawValue)
        var (staying, free, time) = (1.0, self.freeNow, 0.0)
        for step in 0...Self.steps {
            let stepEnd = Timestamp(nanoseconds: (first + Int64(step) + 1) * self.width)
            // No stay lasts longer than a lifetime.
            let end = min(Double((stepEnd - now).rawValue), lifetime)
            free += Double(self.endings[Self.slot(ofStep: first + Int64(step))]) * staying + most * early * (end - time)
            staying *= kept
            time = end
            self.ends[step] = end
            self.freeBy[step] = free
        }
        self.pace = (x > 0 ? min((1 - staying) / early, lifetime) : lifetime) / most
        // The first departure may be known more exactly than the steps.
        self.knownFree = max(free, self.freeNow + 1)
        self.knownEnd = time + (self.knownFree - free) * self.pace
        self.firstFree = firstEnd.map { Double(max(.zero, $0 - now).rawValue) }
        self.hasEarly = x > 0
    }

    /// The time until `needed` more places come free: at least one. O(1) beyond a lifetime, where most requests are;
    /// else O(log steps).
    @inline(__always)
    func time(until needed: UInt64) -> Nanoseconds {
        let needed = Double(needed)
        guard needed > self.knownFree else { return self.timeWithinLifetime(until: needed) }
        let time = self.knownEnd + (needed - self.knownFree) * self.pace
        return Self.roundedUp(time)
    }

    private func timeWithinLifetime(until needed: Double) -> Nanoseconds {
        if needed <= self.freeNow { return .zero }
        var time = self.interpolated(until: needed)
        if let firstFree = self.firstFree {
            if needed <= self.freeNow + 1 { time = min(time, firstFree) }
            if !self.hasEarly { time = max(time, firstFree) }
        }
        return Self.roundedUp(time)
    }

    /// Without `rounded`, which is a call of a library function on the oldest processors.
    @inline(__always)
    private static func roundedUp(_ time: Double) -> Nanoseconds {
        let time = min(time, Self.longest)
        let whole = Int64(time)
        return Nanoseconds(Double(whole) < time ? whole + 1 : whole)
    }

    private func interpolated(until needed: Double) -> Double {
        guard needed <= self.freeBy[Self.steps] else {
            return self.ends[Self.steps] + (needed - self.freeBy[Self.steps]) * self.pace
        }
        // Every poll of a full room comes here: without array checks it takes a quarter of the instructions.
        return self.freeBy.withUnsafeBufferPointer { freeBy in
            // The first step by whose end enough places are free, of 32 and the last.
            var low = 0
            if freeBy[low + 15] < needed { low += 16 }
            if freeBy[low + 7] < needed { low += 8 }
            if freeBy[low + 3] < needed { low += 4 }
            if freeBy[low + 1] < needed { low += 2 }
            if freeBy[low] < needed { low += 1 }
            if freeBy[low] < needed { low += 1 }
            return self.ends.withUnsafeBufferPointer { ends in
                let (begin, before) = low == 0 ? (0, self.freeNow) : (ends[low - 1], freeBy[low - 1])
                return begin + (ends[low] - begin) * (needed - before) / (freeBy[low] - before)
            }
        }
    }

    /// Per person inside; 0 before the first departure.
    private func departuresPerNanosecond(at now: Timestamp) -> Double {
        guard self.departures > 0 else { return 0 }
        let open = Double(self.inside) * Double((max(now, self.exposedUntil) - self.exposedUntil).rawValue)
        let doubt = max(0, 1 - self.departures / Self.departuresTrusted) * Double(self.lifetime.rawValue)
        return self.departures / max(1, self.exposure + open + doubt)
    }
}
