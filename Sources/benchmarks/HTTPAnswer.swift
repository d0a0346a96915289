import Glibc

/// Finds the end and the status of answers of the measured server, which frames them by length alone.
enum HTTPAnswer {
    /// The status of the answer that begins at `start`, whose first line is complete.
    static func status(of bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        (9..<12).reduce(0) { $0 * 10 + Int(bytes[start + $1] - UInt8(ascii: "0")) }
    }

    private static let length: StaticString = "Content-Length: "

    /// The end of the answer that begins at `start`; nil while it is incomplete. Reads line by line; the measured
    /// server sends this one name, in this case, in each answer.
    static func end(of bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        var (line, length) = (start, 0)
        while line < bytes.count, let found = memchr(base + line, 10, bytes.count - line) {
            let next = UnsafeRawPointer(found) - base + 1
            if next - line == 2 { return next + length <= bytes.count ? next + length : nil }
            if next - line > Self.length.utf8CodeUnitCount,
                memcmp(base + line, Self.length.utf8Start, Self.length.utf8CodeUnitCount) == 0
            {
                var at = line + Self.length.utf8CodeUnitCount
                while bytes[at] >= 0x30 {
                    length = length * 10 + Int(bytes[at] - 0x30)
                    at += 1
                }
            }
            line = next
        }
        return nil
    }
}
