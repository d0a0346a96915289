import Testing

@testable import Configuration

@Suite struct JSONNamesTests {
    private static func repeated(_ text: String) -> [String] {
        JSONNames.repeated(in: Array(text.utf8)).map { "\($0.path) in line \($0.line)" }
    }

    @Test func `a name that stands twice in one object is found, with its path and line`() {
        #expect(Self.repeated(#"{"gateway": {"port": 1, "port": 2}}"#) == ["gateway.port in line 1"])
        #expect(
            Self.repeated("{\"a\": 1,\n\"b\": [{\"c\": 1}, {\"c\": 1,\n\"c\": 2}],\n\"a\": {}}") == [
                "b[1].c in line 3", "a in line 4",
            ]
        )
        #expect(Self.repeated(#"{"port": 1, "p\u006frt": 2}"#) == ["port in line 1"])
    }

    @Test(arguments: [
        #"{}"#, #"[]"#, #""a""#, #"{"a": "a", "b": ["a", "a"], "c": {"a": 1, "b": 1}, "d": {"a": 1}}"#,
        #"{"a\"": 1, "a": "x\",\"a\":", "": "{", "b": "["}"#,
    ]) func `what is the same elsewhere is no name twice`(text: String) {
        #expect(Self.repeated(text) == [])
    }

    @Test func `nothing makes it trap, whatever the bytes are`() {
        for text in ["{\"a", "{\"a\\", "}}]],,", "\"", "{,{", "[\"a\",{"] { _ = Self.repeated(text) }
    }
}
