/// The seats of a hall, numbered from 1 without a gap, in sections of one grade and price.
public struct Hall: Equatable, Sendable {
    public struct Section: Equatable, Sendable {
        /// Seat numbers, both ends included.
        public let seats: ClosedRange<UInt32>
        public let grade: String
        public let price: Won

        public init(seats: ClosedRange<UInt32>, grade: String, price: Won) {
            self.seats = seats
            self.grade = grade
            self.price = price
        }
    }

    /// Seats in one hall, at most: twice the largest stadium. Bounds the memory of one schedule (8 bytes a seat).
    public static let seatCountMax = 200_000

    /// Bytes of UTF-8. Every hold records the grade, so it has to be short.
    public static let gradeBytesMax = 200

    /// The largest balance: nobody could pay more. Also keeps the sum of any number of prices within 64 bits.
    public static let priceMax = Points.balanceMax

    public let sections: [Section]
    public let seatCount: Int

    /// Refuses sections that overlap, leave a gap, do not start at seat 1, cost less than 0 won or more than `priceMax`, or
    /// have a grade of more than `gradeBytesMax` bytes.
    public init(sections: [Section]) throws(CatalogueError) {
        var next: UInt32 = 1
        for section in sections {
            guard section.seats.lowerBound == next else {
                throw CatalogueError(
                    "section \(section.grade) starts at seat \(section.seats.lowerBound), but the next free number is "
                        + "\(next): "
                        + "list sections in the order of their seats, without gaps or overlaps"
                )
            }
            guard section.seats.upperBound <= Self.seatCountMax else {
                throw CatalogueError(
                    "section \(section.grade) ends past seat \(Self.seatCountMax), the largest allowed"
                )
            }
            guard section.price >= .zero else { throw CatalogueError("section \(section.grade) has a negative price") }
            guard section.price <= Self.priceMax else {
                throw CatalogueError(
                    "section \(section.grade) costs \(section.price) won, above the largest balance of "
                        + "\(Self.priceMax) points"
                )
            }
            guard section.grade.utf8.count <= Self.gradeBytesMax else {
                throw CatalogueError(
                    "the grade \(section.grade.prefix(20)) has \(section.grade.utf8.count) bytes, above the limit of "
                        + "\(Self.gradeBytesMax)"
                )
            }
            next = section.seats.upperBound + 1
        }
        guard !sections.isEmpty else { throw CatalogueError("a hall needs at least one section") }
        self.sections = sections
        self.seatCount = Int(next) - 1
    }

    private init(trusted sections: [Section]) {
        self.sections = sections
        self.seatCount = sections.last.map { Int($0.seats.upperBound) } ?? 0
    }

    /// The section of a seat; nil when the hall has no such seat. O(log sections).
    public func section(of seat: SeatID) -> Section? {
        guard seat.rawValue >= 1, seat.rawValue <= UInt64(self.seatCount) else { return nil }
        let number = UInt32(seat.rawValue)
        var low = 0
        var high = self.sections.count - 1
        while low < high {
            let middle = (low + high) / 2
            if self.sections[middle].seats.upperBound < number { low = middle + 1 } else { high = middle }
        }
        return self.sections[low]
    }

    /// The hall of the original booking service: 50 seats in four grades.
    public static let original = Hall(trusted: [
        Section(seats: 1...10, grade: "VIP", price: Won(170_000)),
        Section(seats: 11...20, grade: "R", price: Won(150_000)),
        Section(seats: 21...30, grade: "S", price: Won(130_000)),
        Section(seats: 31...50, grade: "A", price: Won(100_000)),
    ])
}

/// A catalogue that contradicts itself. The reason names the place in the file and the remedy.
public struct CatalogueError: Error, Equatable, CustomStringConvertible {
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
    public var description: String { self.reason }
}
