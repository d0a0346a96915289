import Testing
import Wire

@Suite struct LanguageTests {
    private func language(_ header: String?) -> Language {
        guard let header else { return Language(accepting: nil) }
        return Array(header.utf8).withUnsafeBytes { Language(accepting: ByteView($0)) }
    }

    @Test(arguments: [
        "en", "EN-us", "en-US,en;q=0.9", "fr, en;q=0.5", "ko;q=0.1,en;q=0.2", "ko;q=0.899,en;q=0.9", "\ten ; q=1 ",
        "en;q=1.000",
        "ko;q=0.5, en;a=b;q=0.6", "en;Q=0.5", ",,en", "en;q=2", "en;q=0.5x", "en;q=", "ko;q=0,en;q=0.001",
    ])
    func `English for those who like it better`(header: String) { #expect(self.language(header) == .english) }

    @Test(arguments: [
        nil, "", "*", "ko", "fr", "english", "en;q=0", "en;q=0.000", "ko-KR,ko;q=0.9,en;q=0.8", "en;q=0.1, ko;q=0.2",
        "en;q=0.5,ko;q=0.5004,ko;q=0.51", "en;q=0.9,ko", "e", "-", ";q=1", "en q=1",
    ])
    func `and Korean for all others`(header: String?) { #expect(self.language(header) == .korean) }

    @Test func `no more is read than browsers send`() {
        let ranges = String(repeating: "fr;q=0.1,", count: 50)
        #expect(self.language(ranges + "en") == .english)
        #expect(self.language(ranges + String(repeating: "fr;q=0.1,", count: 2_000) + "en") == .korean)
        // A truncated range is not read at all.
        #expect(self.language(String(repeating: "a", count: 507) + ",en;q=0") == .korean)
        #expect(self.language(String(repeating: "a", count: 509) + ",en") == .english)
    }
}
