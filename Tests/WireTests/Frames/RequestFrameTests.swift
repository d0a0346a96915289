import Booking
import Testing
import Wire

@Suite struct RequestFrameTests {
    /// The golden frame of a request with the `u64`, or fewer bytes, at `offset` of its body replaced.
    private func altered(_ index: Int, at offset: Int, _ value: UInt64, size: Int = 8) -> [UInt8] {
        var frame = [UInt8](hex: FrameSamples.requests[index].hex)
        for byte in 0..<size { frame[16 + offset + byte] = UInt8(truncatingIfNeeded: value >> (byte * 8)) }
        return frame
    }

    @Test(arguments: [0, 1 << 53, UInt64.max]) func `identifiers and places out of range are refused`(value: UInt64) {
        for offset in [0, 8, 16] {  // concert, user, place of a poll
            #expect(throws: WireError.self) { try Message.all(in: self.altered(1, at: offset, value)) }
        }
        #expect(throws: WireError.self) { try Message.all(in: self.altered(5, at: 44, value)) }  // a seat
    }

    @Test func `the ends of their ranges are taken`() throws {
        for value in [1, (1 << 53) - 1] as [UInt64] {
            for offset in [0, 8, 16] { _ = try Message.all(in: self.altered(1, at: offset, value)) }
        }
    }

    @Test func `an amount asked for may be zero or below, for the shard to refuse, but not past 2^53`() throws {
        let asked = try Message.all(in: self.altered(12, at: 8, UInt64(bitPattern: -5))).messages
        #expect(asked == [.request(.use(UserID(42), Won(-5)))])
        for amount in [1 << 53, -(1 << 53), .min, .max] as [Int64] {
            #expect(throws: WireError.self) {
                try Message.all(in: self.altered(12, at: 8, UInt64(bitPattern: amount)))
            }
        }
    }

    @Test func `a transfer is never negative, and never settled before it is decided`() {
        for order in [18, 19] {
            #expect(throws: WireError("an amount is negative")) {
                try Message.all(in: self.altered(order, at: 24, UInt64(bitPattern: -1)))
            }
            for settled: UInt64 in [5, .max] {
                #expect(throws: WireError("a transfer counts as settled before it is decided")) {
                    try Message.all(in: self.altered(order, at: 32, settled))
                }
            }
        }
    }

    @Test func `enums and pages out of range are refused`() {
        #expect(throws: WireError.self) { try Message.all(in: self.altered(10, at: 16, 3, size: 1)) }  // payment type
        // The transaction type.
        #expect(throws: WireError.self) { try Message.all(in: self.altered(14, at: 8, 3, size: 1)) }
        #expect(throws: WireError.self) { try Message.all(in: self.altered(14, at: 9, 10_000_001, size: 4)) }  // page
        #expect(throws: WireError.self) { try Message.all(in: self.altered(14, at: 13, 0, size: 4)) }  // size
        #expect(throws: WireError.self) { try Message.all(in: self.altered(14, at: 13, 101, size: 4)) }
    }

    @Test func `a count that disagrees with the bytes is refused`() {
        for count in [1, 3, UInt64(UInt32.max)] {
            #expect(throws: WireError.self) { try Message.all(in: self.altered(5, at: 40, count, size: 4)) }
        }
    }

    @Test func `a client's key stands before a change's fields, and is its operation`() throws {
        for (request, hex) in FrameSamples.requests where request.mutatingUser != nil {
            var buffer = FrameBytes()
            try request.encode(
                into: &buffer,
                slot: FrameSamples.slot,
                requestID: FrameSamples.requestID,
                key: ClientKey(FrameSamples.key)
            )
            var expected = [UInt8](hex: hex)
            expected[0] += 16
            expected[5] = 1
            expected.insert(contentsOf: [UInt8](hex: "18171615141312112827262524232221"), at: 16)
            #expect(buffer.array == expected)
            #expect(try Message.all(in: expected).messages == [.request(request)])
            #expect(try self.operations(in: expected, life: 9) == [Operation(FrameSamples.key, .client)])
        }
    }

    @Test func `the address that a key counts for stands behind it`() throws {
        let (request, hex) = FrameSamples.requests[0]
        let key = ClientKey(FrameSamples.key, from: FrameSamples.address)
        let frame = try bytes { (buffer) throws(WireError) in
            try request.encode(into: &buffer, slot: FrameSamples.slot, requestID: FrameSamples.requestID, key: key)
        }
        var expected = [UInt8](hex: hex)
        expected[0] += 24
        expected[5] = 3
        expected.insert(contentsOf: [UInt8](hex: "18171615141312112827262524232221" + "3837363534333231"), at: 16)
        #expect(frame == expected)
        #expect(try Message.all(in: frame).messages == [.request(request)])
        let operation = Operation(FrameSamples.key, .client, from: FrameSamples.address)
        #expect(try self.operations(in: frame, life: 9) == [operation])
        // Address 0 means none, and is never written this way.
        expected.replaceSubrange(32..<40, with: [UInt8](repeating: 0, count: 8))
        #expect(throws: WireError.self) { try self.operations(in: expected, life: 9) }
    }

    @Test func `without a key it is the gateway's life and the request's number, and without a life nothing`() throws {
        let join = [UInt8](hex: FrameSamples.requests[0].hex)
        let own = Operation(OperationID(high: 9, low: FrameSamples.requestID), .gateway)
        #expect(try self.operations(in: join, life: 9) == [own])
        #expect(try self.operations(in: join, life: 0) == [nil])
        #expect(try self.operations(in: [UInt8](hex: FrameSamples.replies[0].hex), life: 9) == [nil])
    }

    private func operations(in bytes: [UInt8], life: UInt64) throws -> [Operation?] {
        var decoder = FrameDecoder()
        var operations: [Operation?] = []
        try decoder.feed(bytes) { (frame) throws(WireError) in operations.append(try frame.operation(ofLife: life)) }
        return operations
    }

    @Test func `a key on a request that changes nothing, and a flag that is none, are refused`() {
        var poll = [UInt8](hex: FrameSamples.requests[1].hex)
        poll[0] += 16
        poll[5] = 1
        poll.insert(contentsOf: [UInt8](repeating: 0, count: 16), at: 16)
        #expect(throws: WireError("a request that changes nothing came with a key")) { try Message.all(in: poll) }
        for flags in [2, 4, 255] as [UInt8] {
            var join = [UInt8](hex: FrameSamples.requests[0].hex)
            join[5] = flags
            #expect(throws: WireError("a frame has a flag that is not defined")) { try Message.all(in: join) }
        }
        var short = [UInt8](hex: FrameSamples.requests[0].hex)
        for flags in [1, 3] as [UInt8] {
            short[5] = flags
            #expect(throws: WireError.self) { try Message.all(in: short) }
        }
    }

    @Test func `a request too long for a frame leaves the buffer as it was`() throws {
        var buffer = FrameBytes()
        try Request.balance(UserID(1)).encode(into: &buffer, slot: FrameSamples.slot, requestID: 1)
        let before = buffer.array
        let seats = [SeatID](repeating: SeatID(1), count: 131_065)  // one more than fits
        #expect(throws: WireError.self) {
            try Request.reserve(FrameSamples.pass, ScheduleID(1), seats)
                .encode(into: &buffer, slot: FrameSamples.slot, requestID: 2)
        }
        let isUnchanged = buffer.array == before  // not inside the macro: it would look for the difference, for hours
        #expect(isUnchanged)
        try Request.reserve(FrameSamples.pass, ScheduleID(1), seats.dropLast())
            .encode(into: &buffer, slot: FrameSamples.slot, requestID: 2)
        #expect(try Message.all(in: buffer.array).messages.count == 2)
    }
}
