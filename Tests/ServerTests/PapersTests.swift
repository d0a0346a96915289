import Booking
import Configuration
import Foundation
import Testing
import Wire

/// What the papers say about the code: links lead somewhere, and tables that repeat the code repeat it as it is.
@Suite struct PapersTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static let papers = [
        "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
        "PERFORMANCE.md",
        "Sources/Wire/Contract/README.md",
        "Sources/Wire/Frames/README.md", "Sources/Wire/Tokens/README.md",
    ]

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    @Test(arguments: Self.papers)
    func `links to files of the project lead somewhere`(paper: String) throws {
        let folder = Self.root.appending(path: paper).deletingLastPathComponent()
        for link in try Self.text(paper).matches(of: /\]\(([^)#]+)(#[^)]*)?\)/) {
            let target = String(link.output.1)
            guard !target.contains("://") else { continue }
            let file = folder.appending(path: target).path
            #expect(FileManager.default.fileExists(atPath: file), "\(paper) links to \(target)")
        }
    }

    @Test func `the README has the table of settings as it is`() throws {
        #expect(try Self.text("README.md").contains(ConfigurationReport.reference() + "\n"))
    }

    @Test func `the contract names every code of an error`() throws {
        let contract = try Self.text("Sources/Wire/Contract/README.md")
        for code in try Self.codes() { #expect(contract.contains("`\(code)`"), "\(code) is missing") }
    }

    /// Every code that a client of a gateway can meet: those of the lists of reasons, and those that are written where an
    /// answer is made. The operator's port has its own.
    static func codes() throws -> Set<String> {
        var codes = Set(InputError.Code.allCases.map(\.rawValue))
        codes.formUnion(HTTPRefusal.allCases.map { "\($0.code)" })
        for asksForPlace in [true, false] {
            codes.formUnion(Refusal.allCases.map { Problem($0, token: "", asksForPlace: asksForPlace).code })
        }
        let written = /(?:Problem|self\.init)\(\s*\.[a-zA-Z]+,\s*"([0-9A-Z_]+)"/
        for file in try Self.sources() where !file.contains("Operator") {
            let text = try Self.text(file)
            codes.formUnion(text.matches(of: written).map { String($0.output.1) })
            // Some are made by helpers of theirs.
            guard file.contains("/Problem") else { continue }
            codes.formUnion(text.matches(of: /"([A-Z][0-9A-Z]*(?:_[0-9A-Z]+)+)"/).map { String($0.output.1) })
        }
        return codes
    }

    private static func sources() throws -> [String] {
        try ["Sources/Wire", "Sources/Configuration", "Sources/Edge", "Sources/Server"].flatMap { folder in
            try FileManager.default.subpathsOfDirectory(atPath: Self.root.appending(path: folder).path)
                .filter { $0.hasSuffix(".swift") }.map { "\(folder)/\($0)" }
        }
    }

    @Test func `everything that is tried with tokens has a test`() throws {
        let rows = try Self.text("Sources/Wire/Tokens/README.md").split(separator: "\n").filter { $0.hasPrefix("| ") }
        let tried = rows.drop { !$0.hasPrefix("| what is tried") }.dropFirst()
        #expect(tried.count > 15)
        let tests = Self.root.appending(path: "Tests")
        let files = try FileManager.default.subpathsOfDirectory(atPath: tests.path).filter { $0.hasSuffix(".swift") }
        let text = try files.map { try String(contentsOf: tests.appending(path: $0), encoding: .utf8) }.joined()
        for row in tried {
            let names = row.split(separator: "|").last.map { $0.matches(of: /`([^`]+)`/) } ?? []
            #expect(!names.isEmpty, "\(row)")
            for name in names.map({ String($0.output.1) }) {
                #expect(text.contains("func `\(name)`") || text.contains("Attack(\"\(name)\""), "\(name) is no test")
            }
        }
    }
}
