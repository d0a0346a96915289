import Foundation
import Testing

@testable import Wire

/// The contract's page has the tables that the code has. `UPDATE=1` writes them anew.
@Suite struct ContractPageTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/contract.md")

    @Test func `the page's tables are those of the table of routes and of the codes`() throws {
        let page = try String(contentsOf: Self.page, encoding: .utf8)
        let updated = ContractPage.updated(page)
        if ProcessInfo.processInfo.environment["UPDATE"] == "1" {
            try updated.write(to: Self.page, atomically: true, encoding: .utf8)
        } else {
            #expect(page == updated, "UPDATE=1 swift test --disable-xctest --filter ContractPageTests writes it anew")
        }
    }

    @Test func `when each code is said is told once`() {
        let told = ContractDocument.codeGroups.flatMap(\.codes).map(\.code) + HTTPRefusal.allCases.map { "\($0.code)" }
        #expect(Set(told).count == told.count)
        #expect(Set(told) == Set(ContractDocument.everyProblem.map(\.code)))
    }
}
