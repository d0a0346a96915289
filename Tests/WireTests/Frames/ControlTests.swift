import Testing
import Wire

@Suite struct ControlTests {
    private func encode(_ control: Control) throws -> [UInt8] {
        try bytes { (buffer) throws(WireError) in try control.encode(into: &buffer, requestID: 1) }
    }

    @Test func `of a hello of another version only the version is read`() throws {
        var frame = [UInt8](hex: FrameSamples.controls[0].hex)
        frame[16] = 5
        frame[18] = 200  // a role of that version
        #expect(try Message.all(in: FrameTests.withLength(frame + [1, 2, 3])).messages == [.control(.otherVersion(5))])
    }

    @Test func `a hello accepted in another version is refused`() {
        var frame = [UInt8](hex: FrameSamples.controls[2].hex)
        frame[16] = 5
        #expect(throws: WireError.self) { try Message.all(in: frame) }
    }

    @Test func `roles and shard counts that do not exist are refused`() {
        var role = [UInt8](hex: FrameSamples.controls[0].hex)
        role[18] = 4
        #expect(throws: WireError("there is no such role")) { try Message.all(in: role) }
        var shards = [UInt8](hex: FrameSamples.controls[0].hex)
        shards[22] = 0x40
        #expect(throws: WireError("a cluster has more shards than slots")) { try Message.all(in: shards) }
    }

    @Test func `a long reason is cut at a character`() throws {
        let long = String(repeating: "이유", count: 400)  // 2,400 bytes of 3 each: 341 fit into 1,024
        let decoded = try Message.all(in: self.encode(.goodbye(reason: long))).messages
        #expect(decoded == [.control(.goodbye(reason: String(long.unicodeScalars.prefix(341))))])
        let exact = String(repeating: "x", count: FrameLimits.reasonBytesMax)
        #expect(
            try Message.all(in: self.encode(.goodbye(reason: exact))).messages == [.control(.goodbye(reason: exact))]
        )
    }

    @Test func `a text that is not UTF-8 is refused`() {
        var frame = [UInt8](hex: FrameSamples.controls[3].hex)
        frame[20] = 0xFF
        #expect(throws: WireError("a text is not UTF-8")) { try Message.all(in: frame) }
    }

    @Test func `stats may fill a frame but not more`() throws {
        let most = String(repeating: "7", count: FrameLimits.bodyBytesMax - 4)
        #expect(try Message.all(in: self.encode(.statsAnswer(most))).messages == [.control(.statsAnswer(most))])
        #expect(throws: WireError.self) { try self.encode(.statsAnswer(most + "7")) }
    }
}
