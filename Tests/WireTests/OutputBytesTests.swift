import Testing
import Wire

@Suite struct OutputBytesTests {
    private func text(_ write: (inout OutputBytes) -> Void) -> String {
        var output = OutputBytes()
        write(&output)
        return output.view.text
    }

    @Test(arguments: [0, 9, 10, 99, 100, 12_345, 1 << 53, .max] as [UInt64])
    func `a number is written in decimal`(number: UInt64) {
        #expect(self.text { $0.append(decimal: number) } == String(number))
    }

    @Test(arguments: [0, -1, -10, .min, .max, 42] as [Int64])
    func `a signed number is written in decimal`(number: Int64) {
        #expect(self.text { $0.append(decimal: number) } == String(number))
    }

    @Test func `every power of ten and its neighbours are written right`() {
        var power: UInt64 = 1
        for _ in 0..<20 {
            for number in [power - 1, power, power + 1] {
                #expect(self.text { $0.append(decimal: number) } == String(number))
            }
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
    }

    @Test func `widths and hexadecimal are padded with zeros`() {
        #expect(self.text { $0.append(decimal: 7, width: 4) } == "0007")
        #expect(self.text { $0.append(decimal: 12_345, width: 4) } == "2345")
        #expect(self.text { $0.append(hex: 0xDEAD_BEEF) } == "00000000deadbeef")
        #expect(self.text { $0.append(hex: .max) } == "ffffffffffffffff")
    }

    @Test func `text goes out as its UTF-8`() {
        #expect(self.text { $0.append(utf8: "공연 🎫") } == "공연 🎫")
        #expect(self.text { $0.append(utf8: "") } == "")
    }

    @Test func `bytes survive growth`() {
        var output = OutputBytes()
        var expected: [UInt8] = []
        for number in 0..<5_000 {
            output.append(UInt8(truncatingIfNeeded: number))
            expected.append(UInt8(truncatingIfNeeded: number))
            if number % 7 == 0 {
                output.append("seven" as StaticString)
                expected += "seven".utf8
            }
        }
        #expect(output.array == expected)
        #expect(output.capacity >= output.count)
    }

    @Test func `emptying keeps the memory, unless it is more than is to be kept`() {
        var output = OutputBytes(capacity: 2_000)
        output.append("a" as StaticString)
        output.removeAll(keepingAtMost: 4_096)
        #expect(output.count == 0)
        #expect(output.capacity == 2_000)
        output.removeAll(keepingAtMost: 1_000)
        #expect(output.capacity == 0)
        output.append("again" as StaticString)
        #expect(output.view == "again")
    }

    @Test func `removed bytes close up`() {
        var output = OutputBytes()
        output.append("0123456789" as StaticString)
        output.remove(2..<5)
        #expect(output.view == "0156789")
        output.remove(0..<7)
        #expect(output.count == 0)
        #expect(output.last == nil)
    }

    @Test func `objects and arrays get their commas`() {
        let text = self.text { output in
            output.openArray()
            for number in 0..<2 as Range<UInt64> {
                output.element()
                output.openObject()
                output.member("id", number)
                output.member("owed", -5 as Int64)
                output.member("held", number == 0)
                output.member("title", "a{")
                output.member("seats")
                output.openArray()
                for seat in [1, 2] as [UInt64] {
                    output.element()
                    output.append(decimal: seat)
                }
                output.closeArray()
                output.member("none")
                output.openObject()
                output.closeObject()
                output.closeObject()
            }
            output.closeArray()
        }
        let first = #"{"id":0,"owed":-5,"held":true,"title":"a{","seats":[1,2],"none":{}}"#
        let second = #"{"id":1,"owed":-5,"held":false,"title":"a{","seats":[1,2],"none":{}}"#
        #expect(text == "[\(first),\(second)]")
    }

    @Test func `a string is escaped where JSON asks for it, and nowhere else`() {
        #expect(
            self.text { $0.append(jsonString: "이미 예약중인 좌석입니다. 🎫\u{7F}/\u{2028}") }
                == "\"이미 예약중인 좌석입니다. 🎫\u{7F}/\u{2028}\""
        )
        #expect(
            self.text { $0.append(jsonString: "\"\\\u{8}\t\n\u{C}\r\u{0}\u{1F}") } == #""\"\\\b\t\n\f\r\u0000\u001f""#
        )
        #expect(self.text { $0.append(jsonString: "") } == #""""#)
    }
}
