import FoundationEssentials
import Testing
import Wire

/// The shapes that `make smuggle` sends through real proxies, to the parser alone.
@Suite struct SmugglingShapesTests {
    struct Shape: Decodable, Sendable, CustomStringConvertible {
        let name: String
        let section: String
        let bytes: String
        /// How many requests it is, and how it ends: `2 idle`, `1 closed`, `0 LENGTH_AMBIGUOUS`.
        let direct: String

        var description: String { self.name }

        /// With its placeholders filled in, as in Tests/SecondOpinion/shapes.py.
        var filled: [UInt8] {
            let hidden = "GET /api/v1/point?userId=500000000 HTTP/1.1\r\nHost: a\r\n\r\n"
            let length = hidden.utf8.count
            let places = [
                "id": "100000000", "hidden": "500000000", "H": hidden, "n": "\(length)", "n+5": "\(length + 5)",
                "x": String(length, radix: 16), "k": "\(String(length, radix: 16).utf8.count + 2)",
            ]
            return HTTPDriver.bytes(places.reduce(self.bytes) { $0.replacing("{\($1.key)}", with: $1.value) })
        }
    }

    private static let all: [Shape] = {
        var file = URL(filePath: #filePath)
        for _ in 0..<2 { file.deleteLastPathComponent() }
        file.append(components: "SecondOpinion", "shapes.json")
        do { return try JSONDecoder().decode([Shape].self, from: Data(contentsOf: file)) } catch {
            preconditionFailure("\(file.path): \(error)")
        }
    }()

    @Test func `there are many, each with a name of its own`() {
        #expect(Self.all.count >= 160)
        #expect(Set(Self.all.map(\.name)).count == Self.all.count)
    }

    @Test(arguments: all) func `a shape is framed as it is written down, whole and byte by byte`(shape: Shape) {
        let bytes = shape.filled
        let outcomes = HTTPDriver.run([bytes[...]])
        #expect(HTTPDriver.run(bytes.indices.map { bytes[$0...$0] }) == outcomes)
        var requests: [Outcome.Seen] = []
        var end: String?
        for outcome in outcomes {
            switch outcome {
            case .request(let seen): requests.append(seen)
            case .refused(_, let code): end = code
            case .continueExpected: break
            }
        }
        end = end ?? (requests.last?.connection == .close ? "closed" : "idle")
        #expect("\(requests.count) \(end ?? "")" == shape.direct)
    }

    /// A hidden part of a body is never a request; only bytes behind a complete request are.
    @Test func `no hidden request comes out of what is refused`() {
        for shape in Self.all where shape.direct.hasPrefix("0 ") {
            let outcomes = HTTPDriver.run([shape.filled[...]])
            #expect(outcomes.count == 1, "\(shape)")
        }
    }
}
