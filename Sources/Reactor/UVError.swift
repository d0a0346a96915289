import CLibuv
import Glibc

/// A libuv call that failed: its code and its name.
public struct UVError: Error, Equatable, CustomStringConvertible {
    /// A negative libuv code; on Linux it is the negated errno, so `-ECONNRESET` compares well.
    public let code: Int32
    /// The call that failed, and what it was about where that helps.
    public let call: String

    public init(code: Int32, call: String) {
        self.code = code
        self.call = call
    }

    /// The failure of a plain system call: takes the thread's errno, so nothing may run in between.
    init(errnoOf call: String) { self.init(code: -errno, call: call) }

    /// Throws when `code`, the answer of the libuv call named `call`, is negative.
    static func check(_ code: Int32, _ call: @autoclosure () -> String) throws(UVError) {
        guard code < 0 else { return }
        throw UVError(code: code, call: call())
    }

    public var description: String {
        "\(self.call): \(String(cString: uv_strerror(self.code))) (\(String(cString: uv_err_name(self.code))))"
    }
}
