import Booking
import Wire

/// Any frame as a value.
enum Message: Equatable {
    case request(Request)
    case reply(Reply)
    case control(Control)
    case unknown(kind: UInt8, requestID: UInt64)

    init(_ frame: Frame) throws(WireError) {
        switch frame.category {
        case .request: self = .request(try Request(frame: frame))
        case .reply: self = .reply(try Reply(frame: frame))
        case .control: self = .control(try Control(frame: frame))
        case .unknown(let kind, let requestID): self = .unknown(kind: kind, requestID: requestID)
        }
    }

    /// All messages in `bytes`, given to a new decoder in one piece.
    static func all(in bytes: [UInt8]) throws(WireError) -> (messages: [Message], pendingBytes: Int) {
        try self.all(in: [bytes[...]])
    }

    /// The same, piece by piece.
    static func all(in pieces: [ArraySlice<UInt8>]) throws(WireError) -> (messages: [Message], pendingBytes: Int) {
        var decoder = FrameDecoder()
        var messages: [Message] = []
        for piece in pieces {
            try decoder.feed(piece) { (frame) throws(WireError) in messages.append(try Message(frame)) }
        }
        return (messages, decoder.pendingBytes)
    }
}

extension FrameDecoder {
    /// Feeds an array.
    mutating func feed(
        _ bytes: some Collection<UInt8>,
        _ onFrame: (Frame) throws(WireError) -> Void
    ) throws(WireError) {
        let copy = Array(bytes)
        var failure: WireError?
        copy.withUnsafeBytes { raw in
            do throws(WireError) { try self.feed(raw, onFrame) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

extension Array where Element == UInt8 {
    init(hex: String) {
        let digits = Array<Character>(hex)
        self = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0..<$0 + 2]), radix: 16)! }
    }

    var hex: String {
        self.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

/// The bytes that `fill` appends to an empty buffer.
func bytes<Failure: Error>(_ fill: (inout FrameBytes) throws(Failure) -> Void) throws(Failure) -> [UInt8] {
    var buffer = FrameBytes()
    try fill(&buffer)
    return buffer.array
}
