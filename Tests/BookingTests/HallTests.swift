import Booking
import Testing

@Suite struct HallTests {
    private static func section(_ seats: ClosedRange<UInt32>, _ price: Int64 = 1) -> Hall.Section {
        Hall.Section(seats: seats, grade: "A", price: Won(price))
    }

    @Test func `the original hall has 50 seats in four grades`() {
        let grades = (1...50).map { Hall.original.section(of: SeatID($0))!.grade }
        #expect(Hall.original.seatCount == 50)
        #expect(grades == [("VIP", 10), ("R", 10), ("S", 10), ("A", 20)].flatMap { Array(repeating: $0, count: $1) })
        let prices = [1, 11, 21, 31].map { Hall.original.section(of: SeatID($0))!.price.rawValue }
        #expect(prices == [170_000, 150_000, 130_000, 100_000])
        for seat: UInt64 in [0, 51, .max] { #expect(Hall.original.section(of: SeatID(seat)) == nil) }
    }

    @Test func `every seat of many sections is found`() throws {
        let hall = try Hall(sections: (0..<100).map { Self.section($0 * 7 + 1...$0 * 7 + 7, Int64($0)) })
        for seat: UInt64 in 1...700 {
            #expect(hall.section(of: SeatID(seat))?.price.rawValue == Int64((seat - 1) / 7))
        }
    }

    @Test(arguments: [
        [],
        [Self.section(2...5)],
        [Self.section(0...5)],
        [Self.section(1...5), Self.section(7...9)],
        [Self.section(1...5), Self.section(5...9)],
        [Self.section(1...200_001)],
        [Self.section(1...UInt32.max)],
        [Self.section(1...5, -1)],
        [Self.section(1...5, 100_000_001)],
        [Self.section(1...5, .max)],
        [Hall.Section(seats: 1...5, grade: String(repeating: "석", count: 67), price: Won(1))],
    ])
    func `a hall that contradicts itself is refused`(sections: [Hall.Section]) {
        #expect(throws: CatalogueError.self) { try Hall(sections: sections) }
    }

    @Test func `the largest hall and the highest price are fine`() throws {
        #expect(try Hall(sections: [Self.section(1...200_000, 100_000_000)]).seatCount == 200_000)
    }
}
