import Booking

/// The time left that people in line are told, held against what the facts make certain.
extension Auditor {
    func tellsTime(_ standing: Standing, _ concert: ConcertID, _ window: ClosedRange<Int>, _ attempt: Attempt) {
        guard standing.order > 0 else {
            return self.require(standing.seconds == 0, "somebody inside waits for \(standing.seconds) s")
        }
        let book = self.lines[concert]!
        let rules = book.concert.rules
        let byRate = Int64(standing.order) * 1_000_000_000 / Int64(rules.admissionsPerSecond)
        // No shard's time was later, so no more of the wait for the opening was over.
        let latest = self.clocks[self.slots.shard(of: Slot(of: concert))].latest
        let least = max(.zero, book.concert.opensAt - latest).rawValue + byRate
        self.require(
            Int64(standing.seconds) * 1_000_000_000 >= least,
            "\(standing.order) to go in at concert \(concert) take \(standing.seconds) s, less than \(least) ns"
        )
        // What a key brings back was true earlier.
        guard attempt.key == nil else { return }
        self.waitsForRoom(standing, book, latest, window)
        // Before anybody was let in, only the shard's clock says how far away the opening is.
        guard let first = book.firstAdmission, first <= window.lowerBound else { return }
        let lifetime = rules.admittedLifetime.rawValue
        let turns = rules.maxActive == 0 ? 0 : Int64(standing.order) / Int64(rules.maxActive) + 2
        let most = (byRate + 999_999_999) / 1_000_000_000 + turns * lifetime / 1_000_000_000
        self.require(
            Int64(standing.seconds) <= most,
            "\(standing.order) to go in at concert \(concert) take \(standing.seconds) s, more than \(most)"
        )
    }

    /// As long as nobody was seen to go early, nobody is told of room before the first stay ends.
    private func waitsForRoom(_ standing: Standing, _ book: LineBook, _ latest: Timestamp, _ window: ClosedRange<Int>) {
        let rules = book.concert.rules
        guard rules.maxActive > 0, !book.hasEarlyDepartures, book.insideCount == Int(rules.maxActive),
            book.insideChangedPosition <= window.lowerBound
        else { return }
        // The answer may be as old as the question.
        let asked = self.time(of: self.slots.shard(of: Slot(of: book.concert.id)), at: window.lowerBound)
        let ends = book.people.filter { $0.gonePosition == nil }.compactMap { person in
            person.admitted.map {
                self.end(of: person.user, in: book.concert, stay: $0.at + rules.admittedLifetime, asked)
            }
        }
        guard let first = ends.min() else { return }
        self.require(
            Nanoseconds.seconds(Int64(standing.seconds)) >= first - latest,
            "\(standing.seconds) s are told at concert \(book.concert.id), and the first stay ends in \((first - latest).rawValue) ns"
        )
    }

    /// When somebody inside goes at the latest: whoever holds seats beyond the end of their stay goes with the last of them.
    private func end(of user: UserID, in concert: Concert, stay: Timestamp, _ asked: Timestamp) -> Timestamp {
        // A shard that began to read only in a restart has not looked who stays: see where `replyTimeout` is set.
        guard stay <= asked, self.replyTimeout > .zero else { return stay }
        let holds = self.reservationsByUser[user, default: []].compactMap { self.reservations[$0] }.filter {
            $0.concert == concert.id && $0.releasedPosition == nil && $0.soldPosition == nil
        }
        let last = holds.map(\.reservation.until).max() ?? stay
        return min(last, stay + concert.rules.admittedLifetime)
    }
}
