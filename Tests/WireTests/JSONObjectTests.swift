import Seeded
import Testing
import Wire

@Suite struct JSONObjectTests {
    /// The result for a body: the error's code with its field, or the value read.
    private func answer(_ body: [UInt8], _ ask: (JSONObject) throws(InputError) -> String) -> String {
        body.withUnsafeBytes { bytes in
            do throws(InputError) {
                return try ask(JSONObject(ByteView(bytes)))
            } catch {
                return [error.field, error.code.rawValue].compactMap { $0 }.joined(separator: " ")
            }
        }
    }

    private func integer(_ body: String) -> String { self.integer(Array(body.utf8)) }
    private func integer(_ body: [UInt8]) -> String {
        self.answer(body) { object throws(InputError) in String(try object.integer("n")) }
    }

    // MARK: Numbers

    @Test(arguments: [
        ("1", "1"), ("0", "0"), ("-0", "0"), ("-5", "-5"), ("9007199254740991", "9007199254740991"),
        ("-9007199254740991", "-9007199254740991"), ("9007199254740992", "n NUMBER_OUT_OF_RANGE"),
        ("-9007199254740992", "n NUMBER_OUT_OF_RANGE"), ("9223372036854775808", "n NUMBER_OUT_OF_RANGE"),
        ("123456789012345678901234567890123456789012345678901234567890", "n NUMBER_OUT_OF_RANGE"),
        ("1.0", "n NUMBER_NOT_INTEGER"), ("1e3", "n NUMBER_NOT_INTEGER"), ("1E+2", "n NUMBER_NOT_INTEGER"),
        ("0.5", "n NUMBER_NOT_INTEGER"), ("1e400", "n NUMBER_NOT_INTEGER"), ("-1.5e-3", "n NUMBER_NOT_INTEGER"),
        ("01", "JSON_NUMBER_INVALID"), ("-01", "JSON_NUMBER_INVALID"), ("00", "JSON_NUMBER_INVALID"),
        ("1.", "JSON_NUMBER_INVALID"), ("1.e1", "JSON_NUMBER_INVALID"), ("1e", "JSON_NUMBER_INVALID"),
        ("1e+", "JSON_NUMBER_INVALID"), ("-", "JSON_NUMBER_INVALID"), ("--1", "JSON_NUMBER_INVALID"),
        (".5", "JSON_INVALID"), ("+1", "JSON_INVALID"), ("0x1", "JSON_INVALID"), ("1_000", "JSON_INVALID"),
        ("1 0", "JSON_INVALID"), ("NaN", "JSON_INVALID"), ("Infinity", "JSON_INVALID"),
        ("-Infinity", "JSON_NUMBER_INVALID"),
        ("nan", "JSON_INVALID"), ("1n", "JSON_INVALID"), ("\"1\"", "n FIELD_TYPE_INVALID"),
        ("true", "n FIELD_TYPE_INVALID"),
        ("[1]", "n FIELD_TYPE_INVALID"), ("{}", "n FIELD_TYPE_INVALID"), ("null", "n FIELD_MISSING"),
        ("", "JSON_INVALID"),
    ])
    func `a whole number is read exactly or refused`(value: String, expected: String) {
        #expect(self.integer("{\"n\":\(value)}") == expected)
        #expect(self.integer(" {\t\"a\" : [ ] ,\r\n\"n\" : \(value) } \n") == expected)
    }

    // MARK: The text

    @Test(arguments: [
        ("", "BODY_EMPTY"), (" \r\n\t ", "BODY_EMPTY"), ("{", "JSON_INVALID"), ("}", "JSON_INVALID"),
        ("{}", "n FIELD_MISSING"),
        ("[]", "JSON_NOT_OBJECT"), ("1", "JSON_NOT_OBJECT"), ("\"n\"", "JSON_NOT_OBJECT"), ("null", "JSON_NOT_OBJECT"),
        ("nul", "JSON_INVALID"), ("[1", "JSON_INVALID"), ("[1,]", "JSON_INVALID"),
        ("concertId=1&userId=2", "JSON_INVALID"),
        (#"{"n":1"#, "JSON_INVALID"), (#"{"n":"#, "JSON_INVALID"), (#"{"n""#, "JSON_INVALID"),
        (#"{"n"#, "JSON_INVALID"),
        (#"{"n":1,}"#, "JSON_INVALID"), (#"{,"n":1}"#, "JSON_INVALID"), (#"{"n":1,,"m":2}"#, "JSON_INVALID"),
        (#"{"n" 1}"#, "JSON_INVALID"), (#"{"n":1 "m":2}"#, "JSON_INVALID"), (#"{n:1}"#, "JSON_INVALID"),
        (#"{'n':1}"#, "JSON_INVALID"), (#"{"n":'1'}"#, "JSON_INVALID"), (#"{1:1}"#, "JSON_INVALID"),
        (#"{"n":1}//"#, "JSON_TRAILING_BYTES"), (#"/**/{"n":1}"#, "JSON_INVALID"), (#"{/**/"n":1}"#, "JSON_INVALID"),
        (#"{"n":1}{"n":2}"#, "JSON_TRAILING_BYTES"), (#"{"n":1}]"#, "JSON_TRAILING_BYTES"),
        ("{\"n\":1}\0", "JSON_TRAILING_BYTES"),
        ("\u{FEFF}{\"n\":1}", "JSON_BYTE_ORDER_MARK"), ("\u{A0}{\"n\":1}", "JSON_INVALID"),
        ("\u{B}{\"n\":1}", "JSON_INVALID"),
        ("{\"n\":1,\"a\":\"\n\"}", "JSON_INVALID"), ("{\"n\":1,\"a\":\"\0\"}", "JSON_INVALID"),
        (#"{"n":1,"n":1}"#, "FIELD_REPEATED"), (#"{"n":1,"a":0,"\u006e":2}"#, "FIELD_REPEATED"),
        (#"{"n":1,"a":{"b":1,"b":2}}"#, "FIELD_REPEATED"), (#"{"n":1,"a":[{"b":1},{"b":2}]}"#, "1"),
        (#"{"":1,"n":2}"#, "2"), (#"{"\u006e":3}"#, "3"), (#"{"n\u0000":1,"n":4}"#, "4"),
        (#"{"N":1}"#, "n FIELD_MISSING"),
        (#"{"a":"\x","n":1}"#, "JSON_ESCAPE_INVALID"), (#"{"a":"\u12","n":1}"#, "JSON_ESCAPE_INVALID"),
        (#"{"a":"\u12G4","n":1}"#, "JSON_ESCAPE_INVALID"), (#"{"a":"\ud800","n":1}"#, "JSON_ESCAPE_INVALID"),
        (#"{"a":"\udc00","n":1}"#, "JSON_ESCAPE_INVALID"), (#"{"a":"\ud800\ud800","n":1}"#, "JSON_ESCAPE_INVALID"),
        (#"{"a":"\ud800x","n":1}"#, "JSON_ESCAPE_INVALID"), (#"{"a":"\ud83c\udfab","n":1}"#, "1"),
        (#"{"a":"\"#, "JSON_INVALID"),
        (#"{"a":"\u"#, "JSON_ESCAPE_INVALID"), (#"{"a":truth,"n":1}"#, "JSON_INVALID"),
        (#"{"a":True,"n":1}"#, "JSON_INVALID"),
        (#"{"a":1e999999999,"b":-0.0,"c":[null,true,false,{}],"n":1}"#, "1"),
        (#"{"a":undefined,"n":1}"#, "JSON_INVALID"),
    ])
    func `the whole text is checked`(body: String, expected: String) { #expect(self.integer(body) == expected) }

    @Test(
        arguments: [
            [0xFF], [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82],
            [0xF0, 0x9F, 0x8E],
        ] as [[UInt8]]
    )
    func `broken UTF-8 is refused in values and names`(bytes: [UInt8]) {
        let parts = (Array(#"{"n":1,"a":""#.utf8), Array(#""}"#.utf8))
        #expect(self.integer(parts.0 + bytes + parts.1) == "JSON_TEXT_INVALID")
        #expect(self.integer(Array(#"{"n":1,""#.utf8) + bytes + Array(#"":2}"#.utf8)) == "JSON_TEXT_INVALID")
        #expect(self.integer(parts.0 + bytes) == "JSON_TEXT_INVALID", "cut off")
    }

    @Test func `levels and members are bounded`() {
        func nested(_ levels: Int) -> String {
            #"{"n":1,"a":"# + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}"
        }
        #expect(self.integer(nested(JSONObject.depthMax - 1)) == "1")
        #expect(self.integer(nested(JSONObject.depthMax)) == "JSON_TOO_DEEP")
        #expect(self.integer(String(repeating: #"{"n":"#, count: 60_000)) == "JSON_TOO_DEEP")
        #expect(self.integer(String(repeating: "[", count: 60_000)) == "JSON_TOO_DEEP")
        func wide(_ members: Int) -> String {
            "{\"n\":1" + (1..<members).map { ",\"\($0)\":0" }.joined() + "}"
        }
        #expect(self.integer(wide(JSONObject.memberCountMax)) == "1")
        #expect(self.integer(wide(JSONObject.memberCountMax + 1)) == "JSON_TOO_MANY_MEMBERS")
    }

    // MARK: Lists and strings

    @Test func `more values than any call takes are refused, however they lie`() {
        func list(_ count: Int) -> String {
            #"{"n":1,"x":["# + [String](repeating: "0", count: count).joined(separator: ",") + "]}"
        }
        // The number, the list and its content.
        #expect(self.integer(list(JSONObject.valueCountMax - 2)) == "1")
        #expect(self.integer(list(JSONObject.valueCountMax - 1)) == "JSON_TOO_MANY_VALUES")
        let objects = [String](repeating: #"{"a":{},"b":[]}"#, count: 400).joined(separator: ",")
        #expect(self.integer(#"{"x":[\#(objects)]}"#) == "JSON_TOO_MANY_VALUES")
    }

    @Test func `names are one however they are escaped, and long ones that differ in a byte are two`() {
        let long = String(repeating: "a", count: 1_000)
        #expect(self.integer(#"{"n":1,"\#(long)b":0,"\#(long)c":0}"#) == "1")
        #expect(self.integer(#"{"n":1,"\#(long)b":0,"\#(long)\u0062":0}"#).hasSuffix("FIELD_REPEATED"))
        #expect(self.integer(#"{"n":1,"\ud83d\ude00":0,"😀":0}"#).hasSuffix("FIELD_REPEATED"))
        #expect(self.integer(#"{"n":1,"\/":0,"/":0}"#).hasSuffix("FIELD_REPEATED"))
    }

    @Test(arguments: [
        ("[]", "[]"), ("[1]", "[1]"), ("[ 1 ,\t-2\n,3 ]", "[1, -2, 3]"), ("[1,2,3,4]", "[1, 2, 3, 4]"),
        ("[1,2,3,4,5]", "n LIST_TOO_LONG"), ("[1.0]", "n NUMBER_NOT_INTEGER"),
        ("[1,9007199254740992]", "n NUMBER_OUT_OF_RANGE"),
        ("[\"1\"]", "n FIELD_TYPE_INVALID"), ("[1,null]", "n FIELD_TYPE_INVALID"), ("[[1]]", "n FIELD_TYPE_INVALID"),
        ("[1,{\"a\":2}]", "n FIELD_TYPE_INVALID"), ("[true]", "n FIELD_TYPE_INVALID"), ("1", "n FIELD_TYPE_INVALID"),
        ("\"[1]\"", "n FIELD_TYPE_INVALID"), ("null", "n FIELD_MISSING"), ("[1 2]", "JSON_INVALID"),
        ("[,1]", "JSON_INVALID"),
    ])
    func `a list of whole numbers is read or refused`(value: String, expected: String) {
        let body = Array("{\"n\":\(value)}".utf8)
        let answer = self.answer(body) { object throws(InputError) in
            let integers = try object.integers("n", countMax: 4)
            #expect(integers.count == Array(integers).count)
            return "\(Array(integers))"
        }
        #expect(answer == expected)
    }

    @Test(arguments: [
        (#""""#, ""), (#""abc""#, "abc"), (#""공연\n\"\\\/\b\f\r\t""#, "공연\n\"\\/\u{8}\u{C}\r\t"),
        (#""\uacf5\u00e9\u0041""#, "공éA"), (#""\ud83c\udfab""#, "🎫"), (#""a\u0000b""#, "a\0b"),
        (#""123456789012345""#, "n STRING_TOO_LONG"), (#""12345678901234""#, "12345678901234"),
        ("1", "n FIELD_TYPE_INVALID"), ("null", "n FIELD_MISSING"),
    ])
    func `a string is decoded or refused`(value: String, expected: String) {
        let body = Array("{\"n\":\(value)}".utf8)
        #expect(self.answer(body) { object throws(InputError) in try object.string("n", bytesMax: 14) } == expected)
    }

    @Test func `a missing or null field is none where it may be missing`() {
        let body = Array(#"{"a":null}"#.utf8)
        for name in ["a", "b"] as [StaticString] {
            #expect(
                self.answer(body) { object throws(InputError) in "\(try object.integerIfPresent(name) as Any?)" }
                    == "nil"
            )
            #expect(
                self.answer(body) { object throws(InputError) in
                    "\(try object.stringIfPresent(name, bytesMax: 9) as Any?)"
                }
                    == "nil"
            )
        }
    }

    @Test func `an error says where and what`() {
        Array(#"{"n":1,}"#.utf8).withUnsafeBytes { bytes in
            let error = #expect(throws: InputError.self) { try JSONObject(ByteView(bytes)) }
            #expect(error?.description == "a member's name in double quotes was expected here (byte 7)")
        }
        Array(#"{"n":1.0}"#.utf8).withUnsafeBytes { bytes in
            let error = #expect(throws: InputError.self) { try JSONObject(ByteView(bytes)).integer("n") }
            #expect(error?.description == "`n` is written with a point or an exponent")
        }
    }

    /// Nothing traps, and the writer's output is read back.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `spoilt bodies are refused or read, and written strings come back`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let source = Array(#"{"n":12,"a":[1,-2.5e3,{"b":"\ud83c\udfab공","c":[[]]}],"s":"x\n","t":true,"z":null}"#.utf8)
        for _ in 0..<500 {
            var body = source
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = body.indices.randomElement(using: &random)!
                switch Int.random(in: 0..<3, using: &random) {
                case 0: body[at] = UInt8.random(in: .min ... .max, using: &random)
                case 1: body[at] = source.randomElement(using: &random)!
                default: body.remove(at: at)
                }
            }
            _ = self.answer(body) { object throws(InputError) in
                "\(try object.integer("n")) \(try object.string("s", bytesMax: 99)) \(try object.integers("a", countMax: 9))"
            }
        }
        let text = String(String.UnicodeScalarView((0..<40).map { _ in Unicode.Scalar.random(using: &random) }))
        var output = OutputBytes()
        output.openObject()
        output.member("n", text)
        output.closeObject()
        #expect(
            self.answer(output.array) { object throws(InputError) in try object.string("n", bytesMax: 999) } == text,
            "seed \(seed)"
        )
    }
}

extension Unicode.Scalar {
    /// Half of them from the first 256, where the escapes are.
    fileprivate static func random(using random: inout SeededRandom) -> Unicode.Scalar {
        while true {
            let number = UInt32.random(in: 0...(Bool.random(using: &random) ? 0xFF : 0x10FFFF), using: &random)
            if let scalar = Unicode.Scalar(number) { return scalar }
        }
    }
}
