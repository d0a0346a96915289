import Booking
import Testing
import Wire

@Suite struct ReplyFrameTests {
    private func altered(_ index: Int, at offset: Int, _ value: UInt8) -> [UInt8] {
        var frame = [UInt8](hex: FrameSamples.replies[index].hex)
        frame[16 + offset] = value
        return frame
    }

    @Test func `statuses, types and refusals that do not exist are refused`() {
        #expect(throws: WireError.self) { try Message.all(in: self.altered(6, at: 4, 3)) }  // seat status
        #expect(throws: WireError.self) { try Message.all(in: self.altered(7, at: 60, 3)) }  // reservation status
        #expect(throws: WireError.self) { try Message.all(in: self.altered(9, at: 16, 2)) }  // transaction type
        #expect(throws: WireError.self) { try Message.all(in: self.altered(9, at: 17, 3)) }  // payment type
        #expect(throws: WireError.self) { try Message.all(in: self.altered(14, at: 1, 1)) }  // refusal
    }

    @Test func `a balance has a time or it has none`() {
        #expect(throws: WireError.self) { try Message.all(in: self.altered(10, at: 8, 2)) }
        #expect(throws: WireError.self) { try Message.all(in: self.altered(10, at: 8, 0)) }
    }

    @Test func `negative prices and balances are refused`() {
        #expect(throws: WireError.self) { try Message.all(in: self.altered(13, at: 7, 0xFF)) }  // debited
        #expect(throws: WireError.self) { try Message.all(in: self.altered(7, at: 43, 0xFF)) }  // price
    }

    @Test func `a standing past 2^53 is refused`() {
        #expect(throws: WireError.self) { try Message.all(in: self.altered(1, at: 6, 0x20)) }
        #expect(throws: WireError.self) { try Message.all(in: self.altered(1, at: 14, 0x20)) }
    }

    @Test func `more seats than a hall may have are refused`() throws {
        #expect(throws: WireError.self) { try Message.all(in: self.altered(4, at: 14, 0x04)) }  // 265,536 free
        let tooMany = Reply.seats([SeatStatus](repeating: .held, count: Hall.seatCountMax + 1))
        let frame = try bytes { (buffer) throws(WireError) in
            try tooMany.encode(into: &buffer, slot: FrameSamples.slot, requestID: 1)
        }
        #expect(throws: WireError.self) { try Message.all(in: frame) }
    }

    @Test func `a reply too long for a frame leaves the buffer as it was`() throws {
        var buffer = FrameBytes()
        let most = [Reservation](repeating: FrameSamples.paid, count: 14_979)
        try Reply.reservations(most).encode(into: &buffer, slot: FrameSamples.slot, requestID: 1)
        let count = buffer.count
        #expect(count <= FrameLimits.bytesMax)
        #expect(throws: WireError.self) {
            try Reply.reservations(most + [FrameSamples.paid])
                .encode(into: &buffer, slot: FrameSamples.slot, requestID: 2)
        }
        #expect(buffer.count == count)
    }
}
