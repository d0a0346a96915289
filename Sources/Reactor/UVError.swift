import CLibuv

/// A libuv call that failed: its code and its name.
public struct UVError: Error, CustomStringConvertible {
    public let code: Int32
    public let call: String

    public init(code: Int32, call: String) {
        self.code = code
        self.call = call
    }

    public var description: String {
        "\(self.call): \(String(cString: uv_strerror(self.code))) (\(String(cString: uv_err_name(self.code))))"
    }
}
