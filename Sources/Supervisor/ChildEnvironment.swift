/// The environment that a supervisor gives to its children.
enum ChildEnvironment {
    /// How a child that traps reports it (docs/Backtracing.rst of Swift): at once, without the contents of registers
    /// and memory, which may include a key. By default the runtime looks up names and lines first, and prints registers
    /// and the memory they point to: for a release build that took 3.5 s, in which the supervisor sees no death;
    /// without both, 0.1 s. Addresses and the load address are enough to look up the names later (llvm-symbolizer).
    static let backtrace =
        "SWIFT_BACKTRACE=registers=none,threads=crashed,images=mentioned,symbolicate=off,"
        + "interactive=no,color=no"

    /// Passes on all of this process's variables except the settings: `config.json` has them all, and a variable would
    /// override it a second time. An operator's own SWIFT_BACKTRACE takes precedence.
    static func made(from own: [String]) -> [String] {
        let kept = own.filter { !$0.hasPrefix("USHER_") }
        return kept.contains { $0.hasPrefix("SWIFT_BACKTRACE=") } ? kept : kept + [Self.backtrace]
    }
}
