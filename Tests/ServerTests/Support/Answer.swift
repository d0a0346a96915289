/// One HTTP answer, read strictly: what is not exactly as RFC 9112 has it is a failure of the server.
struct Answer: Equatable, CustomStringConvertible {
    var status = 0
    /// In the order they came, names as written.
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []

    var text: String { String(decoding: self.body, as: UTF8.self) }
    /// `null` for a body that is no JSON.
    var json: JSONValue { (try? JSONValue(self.body)) ?? .null }
    var code: String? { self.json["code"].string }
    var message: String? { self.json["message"].string }
    var closes: Bool { self["Connection"] == "close" }

    /// The value of a header that came once; nil for one that did not come. Names match in any case.
    subscript(_ name: String) -> String? {
        let found = self.headers.filter { $0.name.lowercased() == name.lowercased() }
        precondition(found.count <= 1, "\(name) was sent \(found.count) times")
        return found.first?.value
    }

    var description: String {
        let body = self.body.count > 300 ? "\(self.body.count) bytes" : self.text
        return "\(self.status) \(self.headers.map { "\($0.name): \($0.value)" }) \(body)"
    }

    static func == (left: Answer, right: Answer) -> Bool {
        left.status == right.status && left.body == right.body
            && left.headers.elementsEqual(right.headers) { $0.name == $1.name && $0.value == $1.value }
    }

    /// Status line and header lines, without the empty line. Throws for what no strict client would take.
    init(head: String) throws {
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        guard lines[0].hasPrefix("HTTP/1.1 "), let status = Int(lines[0].dropFirst(9).prefix(3)),
            lines[0].dropFirst(12).first == " "
        else { throw Malformed(reason: "status line \(lines[0])") }
        self.status = status
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), line[line.index(after: colon)...].hasPrefix(" ") else {
                throw Malformed(reason: "header line \(line)")
            }
            let value = line[colon...].dropFirst(2)
            guard !line.contains(where: \.isNewline) else { throw Malformed(reason: "header line \(line)") }
            self.headers.append((String(line[..<colon]), String(value)))
        }
    }

    struct Malformed: Error, CustomStringConvertible {
        let reason: String
        var description: String { "not a well-formed answer: \(self.reason)" }
    }
}
