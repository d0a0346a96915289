/// One number for everything on which gateways and shards must agree: processes compare it when they connect.
extension Catalogue {
    /// Covers ids, order, times, and the seats, grades and prices of halls. FNV-1a, a word at a time: it detects
    /// mistakes, not attacks. Never 0, which stands for a process without a catalogue. Titles and rules are left out,
    /// since only one side reads them. O(schedules); computed once, at the start of a process.
    ///
    /// A new algorithm needs a new `FrameLimits.protocolVersion`: in a rolling restart both versions compute it.
    public var digest: UInt64 {
        var digest = Digest()
        var halls: [(hall: Hall, digest: UInt64)] = []
        var current = 0
        for concert in self.concerts {
            digest.mix(concert.id.rawValue)
            digest.mix(UInt64(bitPattern: concert.opensAt.nanoseconds))
            digest.mix(UInt64(concert.listedCount))
            digest.mix(UInt64(concert.schedules.count))
            for schedule in concert.schedules {
                digest.mix(schedule.id.rawValue)
                digest.mix(UInt64(bitPattern: schedule.playsAt.nanoseconds))
                // Neighbouring schedules mostly share a hall.
                if halls.isEmpty || halls[current].hall != schedule.hall {
                    current = halls.firstIndex { $0.hall == schedule.hall } ?? halls.count
                    if current == halls.count { halls.append((schedule.hall, Self.digest(of: schedule.hall))) }
                }
                digest.mix(halls[current].digest)
            }
        }
        return max(digest.value, 1)
    }

    private static func digest(of hall: Hall) -> UInt64 {
        var digest = Digest()
        for section in hall.sections {
            digest.mix(UInt64(section.seats.upperBound))
            digest.mix(UInt64(bitPattern: section.price.rawValue))
            digest.mix(UInt64(section.grade.utf8.count))
            for byte in section.grade.utf8 { digest.mix(UInt64(byte)) }
        }
        return digest.value
    }

    private struct Digest {
        private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

        /// The fold moves high bits down; multiplication alone only moves bits up.
        mutating func mix(_ word: UInt64) {
            self.value = (self.value ^ word) &* 0x100_0000_01b3
            self.value ^= self.value >> 32
        }
    }
}
