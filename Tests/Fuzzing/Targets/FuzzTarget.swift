/// Every reader of outside bytes, with the properties that must hold for any bytes. One function for libFuzzer (`make
/// fuzz`), for the files in `../Corpus`, and for the seeded mutations of `make test`.
///
/// `../README.md` has the properties of each and the layout of its input.
enum FuzzTarget: String, CaseIterable, Sendable {
    case http, json, calls, frames, tokens, keys, facts, snapshot, export, settings, catalogue, addresses, forwarded,
        logins

    /// Throws the property that `bytes` break. The caller detects traps, hangs, leaks and reads out of bounds. The
    /// bytes are in memory of their own, so that a sanitizer detects a read past their end.
    func check(_ bytes: UnsafeRawBufferPointer) throws(BrokenProperty) {
        switch self {
        case .http: try HTTPTarget.check(bytes)
        case .json: try JSONTarget.check(bytes)
        case .calls: try CallsTarget.check(bytes)
        case .frames: try FramesTarget.check(bytes)
        case .tokens: try TokensTarget.check(bytes)
        case .keys: try KeysTarget.check(bytes)
        case .facts: try FactsTarget.check(bytes)
        case .snapshot: try SnapshotTarget.check(bytes)
        case .export: try ExportTarget.check(bytes)
        case .settings: try SettingsTarget.check(bytes)
        case .catalogue: try CatalogueTarget.check(bytes)
        case .addresses: try AddressesTarget.check(bytes)
        case .forwarded: try ForwardedTarget.check(bytes)
        case .logins: try LoginsTarget.check(bytes)
        }
    }
}

/// A property that does not hold: a bug in Usher, or in the property.
struct BrokenProperty: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

@inline(__always)
func require(_ holds: Bool, _ property: @autoclosure () -> String) throws(BrokenProperty) {
    guard holds else { throw BrokenProperty(property()) }
}
