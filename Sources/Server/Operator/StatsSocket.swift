import Booking
import Logging
import Reactor
import Wire

/// A gateway's Unix socket, where tools ask it for its statistics. (A shard's own socket answers them, too.)
final class StatsSocket {
    private var listener: UnixListener!
    private var links: [UInt32: FrameLink] = [:]
    private var nextLink: UInt32 = 1

    init(
        on loop: EventLoop,
        path: String,
        as identity: FrameLink.Identity,
        log: Logger,
        stats: @escaping () -> String
    ) throws(UVError) {
        self.listener = try UnixListener(on: loop, path: path) { [unowned self] connection in
            let number = self.nextLink
            self.nextLink &+= 1
            let link = FrameLink(number: number, connection, as: identity, isDialler: false)
            self.links[number] = link
            link.onFrame = { [unowned link] frame throws(WireError) in
                guard case .control(.stats) = frame.sort else {
                    throw WireError(
                        "a gateway takes questions for its statistics, no frame of kind \(frame.header.kind)"
                    )
                }
                link.send(.statsAnswer(stats()), requestID: frame.header.requestID)
            }
            link.onEnd = { [unowned self] _ in self.links[number] = nil }
        }
        self.listener.onAcceptError = { log.warning("connection refused", metadata: ["reason": "\($0)"]) }
    }

    func close() {
        self.listener.close()
        for link in self.links.values { link.close(FrameLink.farewell) }
        self.links = [:]
    }
}
