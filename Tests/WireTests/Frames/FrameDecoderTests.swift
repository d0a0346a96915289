import Booking
import Testing
import Wire

@Suite struct FrameDecoderTests {
    private static let stream: [UInt8] = [0, 4, 13].flatMap { [UInt8](hex: FrameSamples.requests[$0].hex) }
    private static let messages: [Message] = [0, 4, 13].map { .request(FrameSamples.requests[$0].0) }

    @Test func `a stream gives the same frames in every split into three`() throws {
        let stream = Self.stream
        for first in 0...stream.count {
            for second in first...stream.count {
                let decoded = try Message.all(in: [stream[..<first], stream[first..<second], stream[second...]])
                #expect(decoded.messages == Self.messages, "split at \(first) and \(second)")
                #expect(decoded.pendingBytes == 0)
            }
        }
    }

    @Test(arguments: [1, 2, 3, 5, 7, 64]) func `a stream in pieces of one size gives the same frames`(size: Int) throws
    {
        let stream = (FrameSamples.requests.map(\.hex) + FrameSamples.replies.map(\.hex)).flatMap { [UInt8](hex: $0) }
        let pieces = stride(from: 0, to: stream.count, by: size).map { stream[$0..<min($0 + size, stream.count)] }
        let expected =
            FrameSamples.requests.map { Message.request($0.0) } + FrameSamples.replies.map { Message.reply($0.0) }
        #expect(try Message.all(in: pieces).messages == expected)
    }

    @Test func `a frame inside the chunk is handed over in place`() throws {
        let stream = Self.stream
        var decoder = FrameDecoder()
        var inside = 0
        try stream.withUnsafeBytes { raw in
            try decoder.feed(raw) { frame in
                let start = frame.body.baseAddress! - raw.baseAddress!
                if (0..<raw.count).contains(start) { inside += 1 }
            }
        }
        #expect(inside == 3)
    }

    @Test func `lengths below the header and above the largest frame are refused at once`() {
        for length in [0, 1, 11, UInt32(FrameLimits.bytesMax - 3), .max] as [UInt32] {
            var decoder = FrameDecoder()
            let field = (0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
            #expect(throws: WireError.self, "length \(length)") { try decoder.feed(field) { _ in } }
        }
    }

    @Test func `the largest frame comes through in pieces`() throws {
        let body = [UInt8](repeating: 7, count: FrameLimits.bodyBytesMax)
        let frame = FrameTests.withLength([0, 0, 0, 0, 250, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + body)
        #expect(frame.count == FrameLimits.bytesMax)
        let pieces = stride(from: 0, to: frame.count, by: 65_536).map { frame[$0..<min($0 + 65_536, frame.count)] }
        #expect(try Message.all(in: pieces).messages == [.unknown(kind: 250, requestID: 0)])
    }

    @Test func `after an error nothing is read any more`() {
        var decoder = FrameDecoder()
        var count = 0
        let good = [UInt8](hex: FrameSamples.requests[0].hex)
        #expect(throws: WireError("a frame is shorter than its header")) {
            try decoder.feed(good + [1, 0, 0, 0]) { _ in count += 1 }
        }
        #expect(count == 1)
        #expect(throws: WireError("a frame is shorter than its header")) { try decoder.feed(good) { _ in count += 1 } }
        #expect(count == 1)
        #expect(decoder.pendingBytes == 0)
    }

    @Test func `an error of the reader of frames ends the stream, too`() {
        var decoder = FrameDecoder()
        let good = [UInt8](hex: FrameSamples.requests[0].hex)
        #expect(throws: WireError("enough")) {
            try decoder.feed(good + good) { (_) throws(WireError) in throw WireError("enough") }
        }
        #expect(throws: WireError("enough")) { try decoder.feed(good) { _ in } }
    }

    @Test func `nothing in, nothing out`() throws {
        var decoder = FrameDecoder()
        try decoder.feed(UnsafeRawBufferPointer(start: nil, count: 0)) { _ in Issue.record("no frame was sent") }
        try decoder.feed([1]) { _ in Issue.record("no frame was sent") }
        try decoder.feed(UnsafeRawBufferPointer(start: nil, count: 0)) { _ in Issue.record("no frame was sent") }
        #expect(decoder.pendingBytes == 1)
    }
}
