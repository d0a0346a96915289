/// The split of an input's stream: the first four bytes, the rest is the stream.
///
///     │ a │ b │ c │ options│ stream ... │      pieces of 1 + a, 1 + b and 1 + c bytes
///
/// Bits of `options`: 1 the lengths repeat to the stream's end, else the rest is one piece; 2 and 4 are the target's own.
/// Any bytes are a valid input, and letters are, so that seeds can be read.
struct Pieces {
    static let repeats: UInt8 = 1
    static let headBytes = 4

    let options: UInt8
    let stream: UnsafeRawBufferPointer
    private let lengths: (Int, Int, Int)

    /// Nil for fewer than four bytes.
    init?(_ input: UnsafeRawBufferPointer) {
        guard input.count >= Self.headBytes else { return nil }
        self.lengths = (1 + Int(input[0]), 1 + Int(input[1]), 1 + Int(input[2]))
        self.options = input[3]
        self.stream = UnsafeRawBufferPointer(rebasing: input[Self.headBytes...])
    }

    func has(_ bit: UInt8) -> Bool { self.options & bit != 0 }

    /// Calls `body` with each piece, in memory of its own that is overwritten and freed right after.
    func forEach<Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
        var at = 0
        var turn = 0
        while at < self.stream.count {
            let wanted =
                switch turn % 3 {
                case 0: self.lengths.0
                case 1: self.lengths.1
                default: self.lengths.2
                }
            let isLast = turn >= 3 && !self.has(Self.repeats)
            let end = isLast ? self.stream.count : min(self.stream.count, at + wanted)
            try Self.withCopy(of: UnsafeRawBufferPointer(rebasing: self.stream[at..<end]), body)
            at = end
            turn += 1
        }
    }

    /// The whole stream as one piece.
    func whole<Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
        try Self.withCopy(of: self.stream, body)
    }

    private static func withCopy<Failure: Error>(
        of bytes: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyMemory(from: bytes)
        try body(UnsafeRawBufferPointer(copy))
        copy.initializeMemory(as: UInt8.self, repeating: 0xAA)
    }
}
