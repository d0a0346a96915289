import Glibc

/// libFuzzer with the target that the environment names: `FUZZ_TARGET=http fuzz CORPUS ...`. All other arguments are
/// libFuzzer's. Built by `../run` only.
@main enum Fuzz {
    private static let target: FuzzTarget = {
        let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
            print("FUZZ_TARGET is '\(name)': it must be one of \(names)")
            exit(2)
        }
        return target
    }()

    static func main() {
        _ = self.target
        var count = CommandLine.argc
        var words = CommandLine.unsafeArgv
        let code = runLibFuzzer(&count, &words) { start, count in
            do throws(BrokenProperty) {
                try Fuzz.target.check(UnsafeRawBufferPointer(start: start, count: count))
            } catch { fatalError("\(Fuzz.target.rawValue): \(error)") }
            return 0
        }
        exit(code)
    }
}

/// libFuzzer's own `main`, which takes a function in place of the symbol that it usually looks for
/// (<https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library>). A C function, whose calling convention equals
/// Swift's for these arguments.
@_silgen_name("LLVMFuzzerRunDriver")
private func runLibFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
