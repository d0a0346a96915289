import Booking
import Seeded
import Testing
import Wire

/// What holds for the frames of all kinds.
@Suite struct FrameTests {
    private static let golden: [(message: Message, hex: String)] =
        FrameSamples.requests.map { (.request($0.0), $0.hex) }
        + FrameSamples.replies.map { (.reply($0.0), $0.hex) }
        + FrameSamples.controls.map { (.control($0.0), $0.hex) }

    private func encode(_ message: Message, slot: Slot, requestID: UInt64) throws -> [UInt8] {
        try bytes { (buffer) throws(WireError) in
            switch message {
            case .request(let request): try request.encode(into: &buffer, slot: slot, requestID: requestID)
            case .reply(let reply): try reply.encode(into: &buffer, slot: slot, requestID: requestID)
            case .control(let control): try control.encode(into: &buffer, requestID: requestID)
            case .unknown: break
            }
        }
    }

    @Test func `every kind has its golden bytes`() throws {
        for (message, hex) in Self.golden {
            let encoded = try self.encode(message, slot: FrameSamples.slot, requestID: FrameSamples.requestID)
            #expect(encoded.hex == hex, "\(message)")
            #expect(try Message.all(in: [UInt8](hex: hex)).messages == [message])
        }
        let kinds = Set(Self.golden.map { [UInt8](hex: $0.hex)[4] })
        let all = Request.Kind.allCases.map(\.rawValue) + Reply.Kind.allCases.map(\.rawValue)
        #expect(kinds == Set(all + Control.Kind.allCases.map(\.rawValue)))
    }

    @Test func `the header comes through`() throws {
        var decoder = FrameDecoder()
        var header: FrameHeader?
        try decoder.feed([UInt8](hex: FrameSamples.requests[0].hex)) { header = $0.header }
        #expect(header?.kind == 1)
        #expect(header?.flags == 0)
        #expect(header?.slot == FrameSamples.slot)
        #expect(header?.requestID == FrameSamples.requestID)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `random values come back as they went`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for step in 0..<3_000 {
            let message: Message = step % 2 == 0 ? .request(random.request()) : .reply(random.reply())
            let encoded = try self.encode(message, slot: random.slot(), requestID: random.next())
            let decoded = try Message.all(in: encoded)
            #expect(decoded.messages == [message], "seed \(seed) step \(step)")
            #expect(decoded.pendingBytes == 0)
        }
    }

    @Test func `a frame cut anywhere waits for more`() throws {
        for (message, hex) in Self.golden {
            let whole = [UInt8](hex: hex)
            for count in 0..<whole.count {
                let decoded = try Message.all(in: Array(whole[..<count]))
                #expect(decoded.messages.isEmpty && decoded.pendingBytes == count, "\(message) cut at \(count)")
            }
        }
    }

    @Test func `a body cut anywhere is refused, and so is one with a byte too many`() {
        for (message, hex) in Self.golden {
            let whole = [UInt8](hex: hex)
            for count in 16..<whole.count {
                let cut = Self.withLength(Array(whole[..<count]))
                // A goodbye to a newer hello needs only its version, so a hello may be followed by anything.
                if case .control(.otherVersion) = message, count >= 18 { continue }
                #expect(throws: WireError.self, "\(message) cut at \(count)") { try Message.all(in: cut) }
            }
            if case .control(.otherVersion) = message { continue }
            #expect(throws: WireError.self, "\(message)") { try Message.all(in: Self.withLength(whole + [0])) }
        }
    }

    @Test func `a frame with any one byte changed decodes or throws`() {
        for (_, hex) in Self.golden {
            var frame = [UInt8](hex: hex)
            for position in frame.indices {
                let original = frame[position]
                for value in UInt8.min...UInt8.max {
                    frame[position] = value
                    _ = try? Message.all(in: frame)
                }
                frame[position] = original
            }
        }
    }

    @Test(arguments: [11, 12] as [UInt64])
    func `random bytes in a frame of each kind decode or throw`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...80, using: &random)
            var frame: [UInt8] = [0, 0, 0, 0, UInt8.random(in: .min ... .max, using: &random), 0, 1, 0]
            frame += (0..<count + 8).map { _ in
                Bool.random(using: &random) ? 0 : UInt8.random(in: .min ... .max, using: &random)
            }
            _ = try? Message.all(in: Self.withLength(frame))
        }
    }

    @Test func `a frame of an unknown kind is whole, can be answered, and the next is read`() throws {
        var unknown = [UInt8](hex: FrameSamples.requests[0].hex)
        unknown[4] = 250
        unknown[5] = 0x80  // a flag of a later version
        let known = [UInt8](hex: FrameSamples.requests[0].hex)
        let decoded = try Message.all(in: unknown + known)
        #expect(
            decoded.messages == [
                .unknown(kind: 250, requestID: FrameSamples.requestID), .request(FrameSamples.requests[0].0),
            ]
        )
    }

    @Test func `flags that are not defined are refused`() {
        for (message, hex) in Self.golden {
            var frame = [UInt8](hex: hex)
            frame[5] = 1
            #expect(throws: WireError.self, "\(message)") { try Message.all(in: frame) }
        }
    }

    @Test func `a slot past the last is refused`() {
        var frame = [UInt8](hex: FrameSamples.requests[0].hex)
        frame[7] = 0x40
        frame[6] = 0x00
        #expect(throws: WireError("a frame names no slot")) { try Message.all(in: frame) }
    }

    @Test func `a frame read as another sort is refused`() throws {
        var decoder = FrameDecoder()
        try decoder.feed([UInt8](hex: FrameSamples.requests[0].hex)) { frame in
            #expect(throws: WireError.self) { try Reply(frame: frame) }
            #expect(throws: WireError.self) { try Control(frame: frame) }
        }
        try decoder.feed([UInt8](hex: FrameSamples.replies[0].hex)) { frame in
            #expect(throws: WireError.self) { try Request(frame: frame) }
        }
    }

    @Test func `the largest hall fits one frame`() throws {
        #expect(FrameLimits.headerBytes + 4 + Hall.seatCountMax <= FrameLimits.bytesMax)
        let hall = Message.reply(.seats([SeatStatus](repeating: .sold, count: Hall.seatCountMax)))
        #expect(try Message.all(in: self.encode(hall, slot: FrameSamples.slot, requestID: 1)).messages == [hall])
    }

    /// With the length field corrected.
    static func withLength(_ frame: [UInt8]) -> [UInt8] {
        let length = UInt32(frame.count - 4)
        return (0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + frame[4...]
    }
}
