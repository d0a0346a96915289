import CLibuv
import Glibc

/// The common part of TCP and Unix listeners: accepting connections within the limit of descriptors.
///
/// **Happy path.** The kernel has a connection, libuv accepts it, `onConnection` gets it, open but not yet reading.
///
/// **Out of descriptors.** Before the error happens, the listener rests for `restTime` when a connection gets one of
/// the last descriptors, which are reserved for files and links; `onAcceptError` reports it (EMFILE). It rests by
/// leaving one connection with libuv, which then accepts no more; connections are not refused but wait in the kernel's
/// backlog. If descriptors run out all the same, libuv frees a spare one, accepts waiting connections and closes them;
/// if even that fails, `onAcceptError` reports it and the loop sleeps a millisecond instead of spinning.
///
/// **Other errors** of accept concern one connection; they are reported, and the listener continues.
public class Listener: LoopHandle {
    /// Gets each connection. Without it, connections are closed.
    public final var onConnection: ((Connection) -> Void)?
    /// Reports every error; the listener has handled it.
    public final var onAcceptError: ((UVError) -> Void)?

    /// Milliseconds to rest: long enough to cost nothing, short enough for clients in the backlog.
    public static let restTime: UInt64 = 100

    private final let transport: Connection.Transport
    /// The first descriptor that connections may not use.
    private final var descriptorEnd: Int32 = .max
    private final var isResting = false
    private final var holdsOne = false
    private final var restTimer: LoopTimer?

    init(_ transport: Connection.Transport, _ type: uv_handle_type, on loop: EventLoop) {
        self.transport = transport
        super.init(type, on: loop)
    }

    /// Ends as `close()` does, but first delivers the connection that a rest left waiting: it would be cut off.
    public final func finish() {
        self.isResting = false
        self.acceptHeld()
        self.close()
    }

    override func willClose() {
        self.onConnection = nil
        self.onAcceptError = nil
        self.restTimer?.close()
    }

    final func listen(backlog: Int32) -> Int32 {
        self.readDescriptorLimit()
        return uv_listen(self.raw(as: uv_stream_t.self), backlog) { raw, status in
            Unmanaged<Listener>.fromOpaque(raw!.pointee.data)._withUnsafeGuaranteedRef { $0.incoming(status) }
        }
    }

    /// Why a connection is refused; nil if it is accepted.
    func trouble(with connection: Connection) -> UVError? { nil }

    /// Closes the half-made listener, and throws.
    final func giveUp(_ code: Int32, _ call: String) throws(UVError) -> Never {
        self.close()
        throw UVError(code: code, call: call)
    }

    private func incoming(_ status: Int32) {
        guard status == 0 else {
            if status == UV_EMFILE.rawValue || status == UV_ENFILE.rawValue { usleep(1_000) }
            self.readDescriptorLimit()
            self.onAcceptError?(UVError(code: status, call: "accept"))
            return
        }
        // While one is not accepted, libuv accepts no more.
        if self.isResting { self.holdsOne = true } else { self.accept() }
    }

    private func acceptHeld() {
        guard self.holdsOne, !self.isResting, !self.isClosed else { return }
        self.holdsOne = false
        self.accept()
    }

    private func accept() {
        let connection: Connection
        do throws(UVError) {
            connection = try Connection(self.transport, on: self.loop)
        } catch {
            preconditionFailure("a stream without a descriptor can always be made: \(error)")
        }
        let code = uv_accept(self.raw(as: uv_stream_t.self), connection.stream)
        guard code == 0 else {
            connection.close()
            self.onAcceptError?(UVError(code: code, call: "uv_accept"))
            return
        }
        connection.opened()
        if let trouble = self.trouble(with: connection) {
            connection.close()
            self.onAcceptError?(trouble)
            return
        }
        if let descriptor = connection.descriptor, descriptor >= self.descriptorEnd { self.rest() }
        if let onConnection { onConnection(connection) } else { connection.close() }
    }

    /// Connections have reached the last descriptors: stops accepting for a while.
    func rest() {
        let before = self.descriptorEnd
        self.readDescriptorLimit()  // it may have been raised since
        guard self.descriptorEnd <= before else { return }
        self.isResting = true
        let timer = self.restTimer ?? LoopTimer(on: self.loop)
        self.restTimer = timer
        timer.start(afterMilliseconds: Self.restTime) { [unowned self] in
            self.isResting = false
            self.acceptHeld()
        }
        self.onAcceptError?(UVError(code: UV_EMFILE.rawValue, call: "accept"))
    }

    /// One descriptor in eight, but at most 64, is reserved.
    private func readDescriptorLimit() {
        guard let limit = try? ResourceLimits.openFiles().soft else { return }
        self.descriptorEnd = Int32(clamping: limit - min(64, limit / 8))
    }
}
