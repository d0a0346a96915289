/// Splits the bytes of a pipe into lines.
public struct LineReader {
    /// Longer lines are truncated: a child sends none.
    public static let lineBytesMax = 4_096

    private let bytesMax: Int
    private var line: [UInt8] = []

    /// A longer line is cut off at `bytesMax`.
    public init(bytesMax: Int = LineReader.lineBytesMax) { self.bytesMax = bytesMax }

    /// Calls `body` for each line completed by `bytes`, without its newline.
    public mutating func append(_ bytes: UnsafeRawBufferPointer, _ body: (String) -> Void) {
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
