import Booking
import Configuration
import Foundation
import Testing
import Wire

/// What the papers say about the code: links lead somewhere, names are those of the code, and tables repeat it exactly.
@Suite struct PapersTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All of them: those beside Package.swift, those in docs, and each README of a folder.
    private static let papers: [String] = {
        let folders = ["", "docs", "Sources", "Tests", "deploy", "k6"].map { folder in
            let names =
                folder.isEmpty
                ? try? FileManager.default.contentsOfDirectory(atPath: Self.root.path)
                : try? FileManager.default.subpathsOfDirectory(atPath: Self.root.appending(path: folder).path)
            return (names ?? []).map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
        }
        return folders.joined().filter { $0.hasSuffix(".md") && !$0.contains("/Corpus/") }.sorted()
    }()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    @Test(arguments: Self.papers)
    func `links to files of the project lead somewhere`(paper: String) throws {
        let folder = Self.root.appending(path: paper).deletingLastPathComponent()
        for link in try Self.text(paper).matches(of: /\]\(([^)#]*)(#[^)]*)?\)/) {
            let target = String(link.output.1)
            guard !target.contains("://") else { continue }
            let file = target.isEmpty ? Self.root.appending(path: paper) : folder.appending(path: target)
            #expect(FileManager.default.fileExists(atPath: file.path), "\(paper) links to \(target)")
            guard let anchor = link.output.2, let text = try? String(contentsOf: file, encoding: .utf8) else {
                continue
            }
            #expect(Self.anchors(text).contains(String(anchor.dropFirst())), "\(paper) links to \(target)\(anchor)")
        }
    }

    /// The names that headings have as targets of links.
    private static func anchors(_ text: String) -> [String] {
        text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { heading in
            String(
                heading.drop { $0 == "#" || $0 == " " }.lowercased().map { $0 == " " ? "-" : $0 }
                    .filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
            )
        }
    }

    @Test func `the README is short`() throws {
        #expect(try Self.text("README.md").split(separator: "\n", omittingEmptySubsequences: false).count <= 201)
    }

    @Test func `the README's glossary is a part of ARCHITECTURE's`() throws {
        let rows = try Self.text("README.md").split(separator: "\n").drop { $0 != "| word | meaning |" }
            .prefix { $0.hasPrefix("| ") || $0.hasPrefix("|-") }
        let architecture = try Self.text("ARCHITECTURE.md")
        #expect(rows.count == 11)
        for row in rows { #expect(architecture.contains(row), "\(row)") }
    }

    /// The changelog also names what is gone.
    @Test(arguments: Self.papers.filter { $0 != "CHANGELOG.md" })
    func `every target of make that papers name is there`(paper: String) throws {
        let targets = try Self.text("Makefile").matches(of: /(?m)^([a-z0-9-]+):/).map { String($0.output.1) }
        for name in try Self.text(paper).matches(of: /(?m)(?:`|^)make ([a-z0-9-]+)/) {
            #expect(targets.contains(String(name.output.1)), "\(paper) names make \(name.output.1)")
        }
    }

    @Test func `the page of settings is what usher config reference prints`() throws {
        let page = try Self.text("docs/settings.md")
        #expect(page == ConfigurationReport.reference() + "\n", "make settings writes it anew")
    }

    /// Also names in comments. The changelog and the page of settings also name what is gone.
    @Test func `scripts, fronts and papers name settings that exist`() throws {
        let groups = Set(Settings.all.map { String($0.name.prefix { $0 != "." }) }).joined(separator: "|")
        // Words in capitals or before an equals sign: others are members of something in a script.
        let name = try Regex("\\b(?:\(groups))\\.[a-z]+(?:[A-Z][A-Za-z0-9]*\\b|(?==[^=]))")
        let papers = Self.papers.filter { !["CHANGELOG.md", "docs/settings.md"].contains($0) }
        let scripts = try ["deploy", "k6", "Tests/Contract", "Tests/SecondOpinion"].flatMap { folder in
            try FileManager.default.subpathsOfDirectory(atPath: Self.root.appending(path: folder).path).map {
                "\(folder)/\($0)"
            }
        }
        var count = 0
        for file in papers + scripts {
            guard let text = try? Self.text(file) else { continue }
            for match in text.matches(of: name) {
                count += 1
                #expect(Settings[String(text[match.range])] != nil, "\(file) has \(text[match.range])")
            }
        }
        #expect(count > 50)
    }

    @Test func `the contract names every code of an error`() throws {
        let contract = try Self.text("docs/contract.md")
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
        let tried = rows.drop { !$0.hasPrefix("| attack") }.dropFirst()
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
