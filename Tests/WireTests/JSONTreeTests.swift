import Testing
import Wire

@Suite struct JSONTreeTests {
    private static func repeated(_ text: String) throws -> [String] {
        try JSONTree.read(Array(text.utf8)).repeated.map { "\($0.path) in line \($0.line)" }
    }

    @Test func `a name that stands twice in one object is found, with its path and line`() throws {
        #expect(try Self.repeated(#"{"gateway": {"port": 1, "port": 2}}"#) == ["gateway.port in line 1"])
        #expect(
            try Self.repeated("{\"a\": 1,\n\"b\": [{\"c\": 1}, {\"c\": 1,\n\"c\": 2}],\n\"a\": {}}") == [
                "b[1].c in line 3", "a in line 4",
            ]
        )
        #expect(try Self.repeated(#"{"port": 1, "p\u006frt": 2}"#) == ["port in line 1"])
    }

    @Test(arguments: [
        #"{}"#, #"[]"#, #""a""#, #"{"a": "a", "b": ["a", "a"], "c": {"a": 1, "b": 1}, "d": {"a": 1}}"#,
        #"{"a\"": 1, "a": "x\",\"a\":", "": "{", "b": "["}"#,
    ]) func `what is the same elsewhere is no name twice`(text: String) throws {
        #expect(try Self.repeated(text) == [])
    }

    @Test func `nothing makes it trap, whatever the bytes are`() {
        for text in ["{\"a", "{\"a\\", "}}]],,", "\"", "{,{", "[\"a\",{"] { _ = try? Self.repeated(text) }
    }

    @Test(arguments: [
        ("1", JSONTree.whole(1)), ("-0", .whole(0)), ("1e3", .whole(1_000)), ("1.0", .whole(1)), ("0.5", .number(0.5)),
        ("18446744073709551616", .number(18_446_744_073_709_551_616)), ("true", .truth(true)), ("null", .null),
        (#""a\u00e9\n""#, .text("a\u{E9}\n")), (" [ 1 , [ ] ] ", .list([.whole(1), .list([])])),
        ("\u{FEFF}{}", .object([:])), (#"{"a": {"b": false}}"#, .object(["a": .object(["b": .truth(false)])])),
    ])
    func `a document is read as it is written`(text: String, tree: JSONTree) throws {
        #expect(try JSONTree.read(Array(text.utf8)).tree == tree)
    }

    @Test(arguments: [
        ("", "it ends too early, or a name or text lacks its quotes"),
        ("{\"a\": 1", "it ends too early, or a name or text lacks its quotes"),
        ("{\"a\":\n  1,,}", "a member's name in double quotes was expected here, near line 2, column 5"),
        ("[1] 2", "something follows the end of the document, near line 1, column 5"),
        ("1e999", "a number is larger than any, near line 1, column 1"),
    ])
    func `what is no JSON is told with its place`(text: String, reason: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONTree.read(Array(text.utf8)) }
        do throws(JSONSyntaxError) { _ = try JSONTree.read(Array(text.utf8)) } catch {
            #expect(error.description == reason)
        }
    }

    @Test func `more levels than anybody writes are refused`() {
        let text = String(repeating: "[", count: 100_000)
        #expect(throws: JSONSyntaxError.self) { try JSONTree.read(Array(text.utf8)) }
    }
}
