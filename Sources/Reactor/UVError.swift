import CLibuv
import Glibc

/// A failed libuv call: its code and its name.
public struct UVError: Error, Equatable, CustomStringConvertible {
    /// A negative libuv code; on Linux it is the negated errno, so it may be compared with `-ECONNRESET`.
    public let code: Int32
    /// The failed call, and its subject where that helps.
    public let call: String

    public init(code: Int32, call: String) {
        self.code = code
        self.call = call
    }

    /// The failure of a plain system call: reads the thread's errno, so no other call may come in between.
    init(errnoOf call: String) { self.init(code: -errno, call: call) }

    /// Throws when `code`, the result of the libuv call named `call`, is negative.
    static func check(_ code: Int32, _ call: @autoclosure () -> String) throws(UVError) {
        guard code < 0 else { return }
        throw UVError(code: code, call: call())
    }

    public var description: String {
        "\(self.call): \(String(cString: uv_strerror(self.code))) (\(String(cString: uv_err_name(self.code))))"
    }
}
