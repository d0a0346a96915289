import Testing
import Wire

@Suite struct FrameBytesTests {
    @Test func `numbers go in little-endian, one after the other`() {
        let written = bytes { buffer in
            buffer.append(0x01 as UInt8)
            buffer.append(0x0302 as UInt16)
            buffer.append(0x0706_0504 as UInt32)
            buffer.append(0x0F0E_0D0C_0B0A_0908 as UInt64)
            buffer.append(-2 as Int64)
        }
        #expect(written.hex == "0102030405060708090a0b0c0d0e0ffeffffffffffffff")
    }

    @Test func `it grows to any size and keeps what was written`() {
        var buffer = FrameBytes(capacity: 0)
        let expected = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for byte in expected[..<5_000] { buffer.append(byte) }
        expected[5_000...].withUnsafeBytes { buffer.append($0) }
        #expect(buffer.array == expected)
        #expect(buffer.count == 10_000)
    }

    @Test func `emptied, it begins anew`() {
        for keepingCapacity in [true, false] {
            var buffer = FrameBytes()
            for number in 0..<100 as Range<UInt64> { buffer.append(number) }
            buffer.removeAll(keepingCapacity: keepingCapacity)
            #expect(buffer.array == [])
            buffer.append(7 as UInt8)
            #expect(buffer.array == [7])
        }
    }

    @Test func `what does not fit can be taken back`() {
        var buffer = FrameBytes()
        buffer.append(0x0201 as UInt16)
        buffer.append(0x0403 as UInt16)
        buffer.truncate(to: 2)
        #expect(buffer.array == [1, 2])
    }

    @Test func `appending nothing changes nothing`() {
        var buffer = FrameBytes()
        buffer.append(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(buffer.array == [])
    }
}
