public import Booking

extension Reply {
    /// Appends this reply for each request that `frames`, a run of whole replies, answers. Throws for anything else in
    /// it, and for a reply that does not fit a frame.
    public func encode(inPlaceOf frames: borrowing FrameBytes, into bytes: inout FrameBytes) throws(WireError) {
        var decoder = FrameDecoder()
        try frames.withUnsafeBytes { (run) throws(WireError) in
            try decoder.feed(run) { frame throws(WireError) in
                guard case .reply = frame.category else { throw WireError("a run of replies has another frame in it") }
                try self.encode(into: &bytes, slot: frame.header.slot, requestID: frame.header.requestID)
            }
        }
        guard decoder.pendingBytes == 0 else { throw WireError("a run of replies ends in the middle of one") }
    }
}
