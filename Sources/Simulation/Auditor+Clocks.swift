import Booking

/// Clocks that jump absurdly: nothing happens by them, and nothing happens at all while they are not believed.
extension Auditor {
    /// What the books know of one shard's clock.
    struct ClockBook {
        /// The latest time that it gave.
        var latest = Timestamp.distantPast
        /// How far it was ahead of the world's at most, absurd jumps left out.
        var aheadMax = Nanoseconds.zero
        /// When it was not believed, by the shard's time; the last one maybe still.
        var suspensions: [(from: Timestamp, to: Timestamp?)] = []
        /// The last moment, by the world's time, at which it was not.
        var suspendedAt = Timestamp.distantPast
    }

    /// A fact is durable: it happened by a clock that was believed.
    func checkTime(of fact: Fact, on shard: Int, at now: Timestamp) {
        let book = self.clocks[shard]
        self.require(
            fact.at <= now + book.aheadMax,
            "shard \(shard) has kept a fact of a time that no clock should have given: \(fact)"
        )
        for (from, to) in book.suspensions.suffix(4) where from < fact.at && fact.at < to ?? .distantFuture {
            self.fail("shard \(shard) decided while its clock was not to be believed: \(fact)")
        }
    }

    func began(suspensionOf shard: Int, at time: Timestamp) {
        self.clocks[shard].suspensions.append((time, nil))
    }

    /// A shard that died and starts knows no later time than its facts': what was told before is told anew.
    func restarted(clockOf shard: Int, at time: Timestamp) {
        for index in self.clocks[shard].suspensions.indices {
            if let to = self.clocks[shard].suspensions[index].to {
                self.clocks[shard].suspensions[index].to = min(to, time)
            }
        }
    }

    func ended(suspensionOf shard: Int, at time: Timestamp) {
        guard let last = self.clocks[shard].suspensions.indices.last else { return }
        self.clocks[shard].suspensions[last].to = self.clocks[shard].suspensions[last].to ?? time
    }
}
