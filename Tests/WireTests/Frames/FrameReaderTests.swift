import Testing
import Wire

@Suite struct FrameReaderTests {
    @Test func `it reads back what was written, at any alignment`() throws {
        let written: [UInt8] = [9, 0x02, 0x01, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1] + [UInt8](repeating: 0xFF, count: 8)
        try written.withUnsafeBytes { raw in
            var reader = FrameReader(raw)
            #expect(try reader.readUInt8() == 9)
            #expect(try reader.readUInt16() == 0x0102)
            #expect(try reader.readUInt32() == 0x0102_0304)
            #expect(try reader.readUInt64() == 0x0102_0304_0506_0708)
            #expect(throws: WireError.self) { try reader.end() }
            #expect(try reader.readInt64() == -1)
            try reader.end()
        }
    }

    @Test func `a read past the end throws and moves nothing`() throws {
        let three: [UInt8] = [1, 2, 3]
        try three.withUnsafeBytes { raw in
            var reader = FrameReader(raw)
            #expect(throws: WireError.self) { try reader.readUInt32() }
            #expect(throws: WireError.self) { try reader.readBytes(4) }
            #expect(throws: WireError.self) { try reader.readBytes(-1) }
            #expect(reader.remaining == 3)
            let taken = try reader.readBytes(3).count
            #expect(taken == 3)
            #expect(throws: WireError.self) { try reader.readUInt8() }
        }
    }

    @Test func `a count may not promise more than is there`() throws {
        let sixteen = [2, 0, 0, 0] + [UInt8](repeating: 0, count: 16)
        sixteen.withUnsafeBytes { raw in
            var fits = FrameReader(raw)
            #expect((try? fits.readCount(ofSize: 8)) == 2)
            var tooMany = FrameReader(raw)
            #expect(throws: WireError.self) { try tooMany.readCount(ofSize: 9) }
        }
        let huge: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]
        huge.withUnsafeBytes { raw in
            var reader = FrameReader(raw)
            #expect(throws: WireError.self) { try reader.readCount(ofSize: 1) }
        }
    }

    @Test func `a text is UTF-8 and no longer than allowed`() {
        func read(_ text: [UInt8], bytesMax: Int) throws -> String {
            try ([UInt8(text.count), 0, 0, 0] + text).withUnsafeBytes { raw in
                var reader = FrameReader(raw)
                return try reader.readText(bytesMax: bytesMax)
            }
        }
        #expect((try? read(Array("대기".utf8), bytesMax: 6)) == "대기")
        #expect(throws: WireError.self) { try read(Array("대기".utf8), bytesMax: 5) }
        #expect(throws: WireError.self) { try read([0xEB, 0x8C], bytesMax: 5) }
    }
}
