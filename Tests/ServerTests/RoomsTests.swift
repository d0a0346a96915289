import Foundation
import Testing

/// The rooms as ARCHITECTURE draws them, as Package.swift declares them, and as the sources import them: all three agree.
@Suite struct RoomsTests {
    /// A target of Package.swift.
    private struct Room {
        var name: String
        var folder: String
        var imports: Set<String>
        var packages: Set<String>
        var isTest: Bool
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// What the system and the toolchain bring, which no target declares.
    private static let system: Set = [
        "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Testing",
    ]

    // MARK: Package.swift

    private static func rooms() throws -> [Room] {
        let text = try Self.text("Package.swift")
        let starts = text.matches(of: /\.(target|executableTarget|systemLibrary|testTarget)\(\s*name: "(\w+)"/)
        return starts.indices.map { index in
            let end = index + 1 < starts.count ? starts[index + 1].range.lowerBound : text.endIndex
            let declaration = text[starts[index].range.upperBound..<end]
            let (kind, name) = (starts[index].output.1, String(starts[index].output.2))
            let list = declaration.firstMatch(of: /dependencies: \[([^\]]*)\]/).map { String($0.output.1) } ?? ""
            let product = /\.product\(name: "(\w+)", package: "[^"]+"\)/
            let folder = declaration.firstMatch(of: /path: "([^"]+)"/).map { String($0.output.1) }
            return Room(
                name: name,
                folder: folder ?? (kind == "testTarget" ? "Tests/\(name)" : "Sources/\(name)"),
                imports: Set(list.replacing(product, with: "").matches(of: /"(\w+)"/).map { String($0.output.1) }),
                packages: Set(list.matches(of: product).map { String($0.output.1) }),
                isTest: kind == "testTarget"
            )
        }
    }

    /// Those that ship or measure, and not what tests share. The fuzzers' dependencies are a list of its own.
    private static func productRooms() throws -> [Room] {
        try Self.rooms().filter { $0.folder.hasPrefix("Sources/") }
    }

    // MARK: ARCHITECTURE

    private static func chapter() throws -> Substring {
        let text = try Self.text("ARCHITECTURE.md")
        let start = try #require(text.range(of: "\n## Rooms\n"))
        let rest = text[start.upperBound...]
        return rest[..<(rest.range(of: "\n## ")?.lowerBound ?? rest.endIndex)]
    }

    /// The floor of each room in the drawing, counted from the top.
    private static func floors() throws -> [String: [Int]] {
        let names = Set(try Self.rooms().map(\.name))
        let drawing = try #require(try Self.chapter().firstMatch(of: /```\n([^`]*)```/)).output.1
        var floors: [String: [Int]] = [:]
        for (floor, line) in drawing.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            for word in line.matches(of: /\w+/).map({ String($0.output) }) where names.contains(word) {
                floors[word, default: []].append(floor)
            }
        }
        return floors
    }

    /// The rows of the table: a room, and all that it imports.
    private static func rows() throws -> [String: [String]] {
        var rows: [String: [String]] = [:]
        for match in try Self.chapter().matches(of: /\n\| `(\w+)` \|[^|\n]*\|([^|\n]*)\|/) {
            let list = match.output.2.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(rows.updateValue(list.filter { !$0.isEmpty }, forKey: String(match.output.1)) == nil)
        }
        return rows
    }

    // MARK: Both

    @Test func `the table of rooms has every target and what it imports, in order`() throws {
        let rows = try Self.rows()
        for room in try Self.productRooms() where !Self.isSystemLibrary(room) {
            #expect(rows[room.name] == room.imports.union(room.packages).sorted(), "\(room.name)")
        }
        #expect(try Set(rows.keys) == Set(Self.productRooms().filter { !Self.isSystemLibrary($0) }.map(\.name)))
    }

    @Test func `every room is drawn once, and imports only what is drawn on lower floors`() throws {
        let floors = try Self.floors()
        for room in try Self.productRooms() {
            let own = try #require(floors[room.name]?.first, "\(room.name)")
            #expect(floors[room.name]?.count == 1, "\(room.name)")
            for other in room.imports {
                guard let floor = floors[other]?.first else { continue }
                #expect(own < floor, "\(room.name) imports \(other)")
            }
        }
    }

    private static func isSystemLibrary(_ room: Room) -> Bool {
        FileManager.default.fileExists(atPath: Self.root.appending(path: "\(room.folder)/module.modulemap").path)
    }

    @Test func `no source imports a module that its target does not declare, and no target declares one in vain`()
        throws
    {
        for room in try Self.rooms() where !Self.isSystemLibrary(room) && !room.folder.hasPrefix("Tests/Fuzzing") {
            var imported: Set<String> = []
            for file in try FileManager.default.subpathsOfDirectory(atPath: Self.root.appending(path: room.folder).path)
            where file.hasSuffix(".swift") {
                let found = try Self.text("\(room.folder)/\(file)").matches(
                    of: /(?m)^(?:@\w+ )*(?:public |internal )?import (?:\w+ )?(\w+)/
                ).map { String($0.output.1) }
                imported.formUnion(found)
            }
            imported.subtract(Self.system)
            let declared = room.imports.union(room.packages)
            #expect(imported.subtracting(declared) == [], "\(room.name) does not declare these")
            // Tests of whole clusters start the program, and import nothing of it.
            #expect(declared.subtracting(imported).subtracting(room.isTest ? ["usher"] : []) == [], "\(room.name)")
        }
    }
}
