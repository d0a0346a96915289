/// The environment that a supervisor gives to its children.
enum ChildEnvironment {
    /// How a child of ours that traps tells of it (docs/Backtracing.rst of Swift): at once, and without what registers and
    /// memory hold, which may be a key. By default the runtime looks up names and lines first, with registers and what they
    /// point to: of a release build that took 3.5 s, in which the supervisor sees no death; without both, 0.1 s. Addresses
    /// and where the program was loaded are enough to look up the names later (llvm-symbolizer).
    static let backtrace =
        "SWIFT_BACKTRACE=registers=none,threads=crashed,images=mentioned,symbolicate=off,"
        + "interactive=no,color=no"

    /// Of our own variables all but the settings: `config.json` has them all, and a variable would win over it a second
    /// time. An operator's SWIFT_BACKTRACE goes before ours.
    static func made(from own: [String]) -> [String] {
        let kept = own.filter { !$0.hasPrefix("USHER_") }
        return kept.contains { $0.hasPrefix("SWIFT_BACKTRACE=") } ? kept : kept + [Self.backtrace]
    }
}
