import Booking
import Wire

/// Frames between processes of a cluster. Whole and in pieces they give the same messages; an accepted message is
/// written as the bytes it came in; and a gateway has an answer for every reply to every request.
enum FramesTarget {
    private enum Message: Equatable {
        case request(Request, Operation?)
        case reply(Reply)
        case control(Control)
        case unknown(kind: UInt8, requestID: UInt64)
    }

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        guard let pieces = Pieces(input) else { return }
        var whole = Reading()
        pieces.whole { whole.feed($0) }
        var cut = Reading()
        pieces.forEach { cut.feed($0) }
        try require(whole.messages == cut.messages, "whole and in pieces differ: \(whole.messages) / \(cut.messages)")
        try require((whole.failure == nil) == (cut.failure == nil), "whole or in pieces, one of both is refused")
        try require(whole.pendingBytes == cut.pendingBytes, "whole and in pieces leave another rest")
        if let broken = whole.broken { throw broken }

        for (asked, answered) in zip(whole.messages, whole.messages.dropFirst()) {
            guard case .request(let request, _) = asked, case .reply(let reply) = answered else { continue }
            try self.checkAnswer(reply, to: request)
        }
    }

    private struct Reading: ~Copyable {
        private(set) var messages: [Message] = []
        private(set) var failure: WireError?
        private(set) var broken: BrokenProperty?
        private var decoder = FrameDecoder()

        var pendingBytes: Int { self.decoder.pendingBytes }

        mutating func feed(_ bytes: UnsafeRawBufferPointer) {
            var messages = self.messages
            var broken = self.broken
            do throws(WireError) {
                try self.decoder.feed(bytes) { (frame) throws(WireError) in
                    let message = try FramesTarget.message(frame)
                    messages.append(message)
                    do throws(BrokenProperty) { try FramesTarget.checkAgain(message, frame) } catch { broken = error }
                }
            } catch { self.failure = error }
            self.messages = messages
            self.broken = broken
        }
    }

    private static func message(_ frame: Frame) throws(WireError) -> Message {
        switch frame.category {
        case .request: .request(try Request(frame: frame), try frame.operation(ofLife: 9))
        case .reply: .reply(try Reply(frame: frame))
        case .control: .control(try Control(frame: frame))
        case .unknown(let kind, let requestID): .unknown(kind: kind, requestID: requestID)
        }
    }

    private static func checkAgain(_ message: Message, _ frame: Frame) throws(BrokenProperty) {
        var bytes = FrameBytes()
        let header = frame.header
        do throws(WireError) {
            switch message {
            case .request(let request, let operation):
                let isClients = operation?.owner == .client
                let key = operation.flatMap { isClients ? ClientKey($0.id, from: $0.address) : nil }
                try request.encode(into: &bytes, slot: header.slot, requestID: header.requestID, key: key)
            case .reply(let reply):
                try reply.encode(into: &bytes, slot: header.slot, requestID: header.requestID)
            // Of another version only the number is read; and controls are always written with slot 0.
            case .control(.otherVersion), .unknown: return
            case .control(let control):
                guard header.slot.rawValue == 0 else { return }
                try control.encode(into: &bytes, requestID: header.requestID)
            }
        } catch { throw BrokenProperty("\(message) was taken, and can't be written: \(error)") }
        let isSame = bytes.withUnsafeBytes { written in
            written.count == FrameLimits.headerBytes + frame.body.count
                && written[FrameLimits.headerBytes...].elementsEqual(frame.body)
        }
        try require(isSame, "\(message) is written otherwise than it came")
    }

    private static func checkAnswer(_ reply: Reply, to request: Request) throws(BrokenProperty) {
        var scratch = OutputBytes()
        var output = OutputBytes()
        let status = Stage.writer.append(
            reply,
            to: request,
            token: TokenText(),
            AnswerWriter.ResponseOptions(method: .get, connection: .keep, language: .korean),
            date: Stage.date,
            scratch: &scratch,
            to: &output
        )
        try Stage.check(output, .get, status)
    }
}
