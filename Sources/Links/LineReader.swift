/// Cuts what comes over a pipe into lines.
public struct LineReader {
    /// A line that is longer is cut off: none of a child's is.
    public static let lineBytesMax = 4_096

    private let bytesMax: Int
    private var line: [UInt8] = []

    /// A longer line is cut off at `bytesMax`.
    public init(bytesMax: Int = LineReader.lineBytesMax) { self.bytesMax = bytesMax }

    /// Calls `body` for each line that ends in `bytes`, without its end.
    public mutating func take(_ bytes: UnsafeRawBufferPointer, _ body: (String) -> Void) {
        for byte in bytes {
            if byte == 0x0A {
                let text = String(decoding: self.line, as: UTF8.self)
                self.line = []
                body(text)
            } else if self.line.count < self.bytesMax {
                self.line.append(byte)
            }
        }
    }
}
