import Testing
import Wire

@Suite struct QueryParametersTests {
    /// The result of `ask` for a query, in words.
    private func answer(_ query: String, _ ask: (QueryParameters) throws(InputError) -> Any?) -> String {
        Array(query.utf8).withUnsafeBytes { bytes in
            do throws(InputError) {
                return try ask(QueryParameters(ByteView(bytes))).map { "\($0)" } ?? "nil"
            } catch {
                return [error.field, error.code.rawValue].compactMap { $0 }.joined(separator: " ")
            }
        }
    }

    private func integer(_ query: String) -> String {
        self.answer(query) { query throws(InputError) in try query.integer("concertId") }
    }

    @Test(arguments: [
        ("concertId=1", "1"), ("a=b&concertId=42&c", "42"), ("concertId=-7", "-7"), ("concertId=007", "7"),
        ("concertId=-0", "0"), ("&&concertId=1&", "1"), ("concertId=%31%32", "12"), ("concert%49d=5", "5"),
        ("x=%EA%B3%B5&concertId=5", "5"), ("concertId=9223372036854775807", "9223372036854775807"),
        ("concertId=-9223372036854775808", "-9223372036854775808"),
        ("concertId=9223372036854775808", "concertId NUMBER_OUT_OF_RANGE"),
        ("concertId=-9223372036854775809", "concertId NUMBER_OUT_OF_RANGE"),
        ("concertId=99999999999999999999999999", "concertId NUMBER_OUT_OF_RANGE"),
        ("concertId=99999999999999999999999999x", "concertId NUMBER_INVALID"),
        ("", "concertId FIELD_MISSING"), ("concertid=1", "concertId FIELD_MISSING"),
        ("concertIdx=1", "concertId FIELD_MISSING"), ("=1", "concertId FIELD_MISSING"),
        ("concertId", "concertId NUMBER_INVALID"), ("concertId=", "concertId NUMBER_INVALID"),
        ("concertId=-", "concertId NUMBER_INVALID"), ("concertId=+1", "concertId NUMBER_INVALID"),
        ("concertId=%2B1", "concertId NUMBER_INVALID"), ("concertId=1+", "concertId NUMBER_INVALID"),
        ("concertId=%201", "concertId NUMBER_INVALID"), ("concertId=1.0", "concertId NUMBER_INVALID"),
        ("concertId=1e3", "concertId NUMBER_INVALID"), ("concertId=0x1", "concertId NUMBER_INVALID"),
        ("concertId=--1", "concertId NUMBER_INVALID"), ("concertId=1=1", "concertId NUMBER_INVALID"),
        ("concertId=%EF%BC%91", "concertId NUMBER_INVALID"), ("concertId=1%00", "concertId NUMBER_INVALID"),
        ("concertId=1&concertId=1", "concertId FIELD_REPEATED"),
        ("concertId=1&concert%49d=2", "concertId FIELD_REPEATED"), ("concertId&concertId", "concertId FIELD_REPEATED"),
        ("concertId=1&x=%", "ESCAPE_INVALID"), ("concertId=1&x=%4", "ESCAPE_INVALID"),
        ("concertId=%zz", "ESCAPE_INVALID"), ("%G0=1&concertId=1", "ESCAPE_INVALID"),
        ("concertId=1&x=%FF", "TEXT_INVALID"), ("concertId=1&x=%C0%AF", "TEXT_INVALID"),
        ("concertId=1&x=%ED%A0%80", "TEXT_INVALID"), ("concertId=1&x=%EA%B3", "TEXT_INVALID"),
        ("concertId=1&x=%EA&y=%B3%B5", "TEXT_INVALID"), ("x=%F4%90%80%80", "TEXT_INVALID"),
    ])
    func `a number is read exactly or refused`(query: String, expected: String) {
        #expect(self.integer(query) == expected)
    }

    @Test func `a parameter nobody asks for may repeat`() { #expect(self.integer("x=1&x=2&concertId=3") == "3") }

    @Test func `a missing number is none where it may be missing`() {
        #expect(self.answer("a=1") { query throws(InputError) in try query.integerIfPresent("page") } == "nil")
        #expect(self.answer("page=2") { query throws(InputError) in try query.integerIfPresent("page") } == "2")
    }

    @Test(arguments: [
        ("t=CHARGE", "CHARGE"), ("t=a+b%20c%2B", "a b c+"), ("t=%EA%B3%B5%EC%97%B0", "공연"), ("t", ""), ("u=1", "nil"),
        ("t=a%26b%3Dc", "a&b=c"), ("t=1&t=2", "t FIELD_REPEATED"),
    ])
    func `a text is decoded`(query: String, expected: String) {
        #expect(self.answer(query) { query throws(InputError) in try query.textIfPresent("t") } == expected)
    }
}

@Suite struct QueryLengthTests {
    @Test func `more parameters than any client sends are refused`() {
        func error(_ count: Int) -> InputError.Code? {
            let query = Array(
                (["concertId=7"] + [String](repeating: "a=1", count: count - 1)).joined(separator: "&").utf8
            )
            return query.withUnsafeBytes { bytes in
                do throws(InputError) { _ = try QueryParameters(ByteView(bytes)) } catch { return error.code }
                return nil
            }
        }
        #expect(error(QueryParameters.countMax) == nil)
        #expect(error(QueryParameters.countMax + 1) == .parametersTooMany)
    }
}

@Suite struct PercentCodingTests {
    private func decoded(_ text: String) -> String {
        Array(text.utf8).withUnsafeBytes { bytes in
            var output = OutputBytes()
            output.append("kept:" as StaticString)
            do throws(InputError) {
                try PercentCoding.decode(ByteView(bytes), into: &output)
                return output.view.text
            } catch {
                return "\(error.code.rawValue) \(output.view.text)"
            }
        }
    }

    @Test(arguments: [
        ("a/b", "kept:a/b"), ("%EA%B3%B5+x", "kept:공 x"), ("%2e%2E", "kept:.."), ("a%2Fb", "kept:a/b"),
        ("a%", "ESCAPE_INVALID kept:"), ("%E0%80%AF", "TEXT_INVALID kept:"), ("", "kept:"),
    ])
    func `a text is decoded or refused, and the output is as before`(text: String, expected: String) {
        #expect(self.decoded(text) == expected)
    }
}
