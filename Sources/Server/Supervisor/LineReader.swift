/// Cuts what comes over a pipe into lines.
struct LineReader {
    /// A line that is longer is cut off: none is.
    static let lineBytesMax = 4_096

    private var line: [UInt8] = []

    /// Calls `body` for each line that ends in `bytes`, without its end.
    mutating func take(_ bytes: UnsafeRawBufferPointer, _ body: (String) -> Void) {
        for byte in bytes {
            if byte == 0x0A {
                let text = String(decoding: self.line, as: UTF8.self)
                self.line = []
                body(text)
            } else if self.line.count < Self.lineBytesMax {
                self.line.append(byte)
            }
        }
    }
}
