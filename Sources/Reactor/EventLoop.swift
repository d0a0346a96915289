import CLibuv
import Glibc

/// One libuv loop: a thread of Usher does all its work in turns of one.
///
///     run ─▶ timers ─▶ prepare: end of turn ─▶ wait for the kernel ─▶ reads, writes, signals ─▶ check: end of turn ─▶
///      ▲                                                                                       close callbacks      │
///      └────────────────────────────────────────────────────────────────────────────────────────────────────────────┘
///
/// **End of turn.** Connections gather appended bytes, and the loop writes them when the callbacks of the turn are
/// done: a thousand appends in a turn leave in one system call. It comes after the kernel's events, and again before
/// the loop waits, so that output of timers and close callbacks does not wait with it.
///
/// Not `Sendable`, and neither is anything made on it: a loop belongs to its thread. The two ways in from other threads
/// are `Wakeup.Sender` and `offload`.
public final class EventLoop {
    /// The largest read, bytes. All connections of the loop read into the same memory, one after the other, so ten
    /// thousand idle ones cost none. 64 KiB is also libuv's own read size.
    public static let readSizeMax = 65_536

    /// Runs once per end of turn, before gathered bytes are written: the place to append a batch's output.
    public var onTurnEnd: (() -> Void)?

    /// The bound of output memory of all connections, which those with `Connection.yieldsRoom` obey: beyond it they
    /// count as full with any bytes that their peers have not taken.
    public var outgoingBytesMax = Int.max

    let raw: UnsafeMutablePointer<uv_loop_t>
    var outgoing = OutgoingBlocks()
    /// Grows with every end of turn.
    private(set) var turn: UInt64 = 1
    let readBuffer: UnsafeMutableRawPointer
    private let prepare = UnsafeMutablePointer<uv_prepare_t>.allocate(capacity: 1)
    private let check = UnsafeMutablePointer<uv_check_t>.allocate(capacity: 1)
    private var newcomers = ContiguousArray<Connection>()
    private var unsettled = ContiguousArray<Connection>()
    private var settling = ContiguousArray<Connection>()
    private var isRunning = false
    private var isStopping = false
    private var isClosed = false

    /// Makes a loop and ignores SIGPIPE for the whole process: a vanished peer is an error code, not a death.
    ///
    /// Throws when the kernel has no descriptors left for it (it takes about six).
    public init() throws(UVError) {
        signal(SIGPIPE, SIG_IGN)
        self.raw = try Self.makeRaw()
        self.readBuffer = .allocate(byteCount: Self.readSizeMax, alignment: 64)
        self.raw.pointee.data = self.readBuffer
        // By libuv's manual, these four calls always return 0.
        uv_prepare_init(self.raw, self.prepare)
        uv_check_init(self.raw, self.check)
        self.prepare.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        self.check.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        uv_prepare_start(self.prepare) { raw in
            Unmanaged<EventLoop>.fromOpaque(raw!.pointee.data)._withUnsafeGuaranteedRef { $0.endTurn() }
        }
        uv_check_start(self.check) { raw in
            Unmanaged<EventLoop>.fromOpaque(raw!.pointee.data)._withUnsafeGuaranteedRef { $0.endTurn() }
        }
        uv_unref(Self.handle(self.prepare))
        uv_unref(Self.handle(self.check))
    }

    deinit {
        precondition(self.isClosed, "an event loop was dropped before close()")
        self.raw.deallocate()
        self.readBuffer.deallocate()
        self.prepare.deallocate()
        self.check.deallocate()
    }

    /// Runs until nothing is left to do (no active handle, no offloaded work) or `stop()` is called. May be called
    /// again afterwards; not from a callback.
    public func run() {
        precondition(!self.isRunning, "a loop can't run inside itself")
        precondition(!self.isClosed, "a closed loop can't run")
        self.isRunning = true
        repeat {
            uv_run(self.raw, UV_RUN_DEFAULT)
            self.endTurn()
        } while !self.isStopping && uv_loop_alive(self.raw) != 0
        self.isStopping = false
        self.isRunning = false
    }

    /// Makes `run()` return after this turn; a call before `run()` makes that return at once.
    public func stop() {
        self.isStopping = true
        uv_stop(self.raw)
    }

    /// Milliseconds of a monotonic clock at the start of the turn. Timers count from it.
    public var now: UInt64 { uv_now(self.raw) }

    /// Output memory in use, over all connections of the loop.
    public var outgoingBytes: Int { self.outgoing.bytesInUse }

    /// Whether output memory is below its bound.
    public var hasRoom: Bool { self.outgoing.bytesInUse < self.outgoingBytesMax }

    /// Reads the clock again: after long work in one callback, before timers are started.
    public func updateTime() { uv_update_time(self.raw) }

    /// Waits for closing handles, then ends the loop. Traps, naming its kind, if a handle is still open: its owner
    /// forgot it, and its memory would leak.
    public func close() {
        precondition(!self.isRunning, "a loop can't be closed from its own callbacks")
        guard !self.isClosed else { return }
        uv_close(Self.handle(self.prepare), nil)
        uv_close(Self.handle(self.check), nil)
        while true {
            self.trapOnOpenHandle()
            let code = uv_loop_close(self.raw)
            if code == 0 { break }
            precondition(code == UV_EBUSY.rawValue, "uv_loop_close: \(code)")
            uv_run(self.raw, UV_RUN_ONCE)
        }
        self.isClosed = true
        self.onTurnEnd = nil
        self.newcomers.removeAll()
        self.unsettled.removeAll()  // closed without another turn; each would keep this loop alive
        self.outgoing.freeAll()
    }

    /// Settles `connection` at the end of the turn: output written, failure reported, marks checked.
    func settleAtTurnEnd(_ connection: Connection) { self.unsettled.append(connection) }

    /// Reads a connection accepted in this turn at the turn's end.
    func readAtTurnEnd(_ newcomer: Connection) { self.newcomers.append(newcomer) }

    private func endTurn() {
        self.turn &+= 1
        // Before `onTurnEnd`, so that the resulting output leaves in this turn.
        var index = 0
        while index < self.newcomers.count {
            self.newcomers[index].readFirst()
            index += 1
        }
        self.newcomers.removeAll(keepingCapacity: true)
        self.onTurnEnd?()
        // Callbacks made while settling may append to other connections: repeat until none is left.
        while !self.unsettled.isEmpty {
            swap(&self.unsettled, &self.settling)
            // By index: an iterator would hold the array, and emptying it would allocate another.
            var index = 0
            while index < self.settling.count {
                self.settling[index].settle()
                index += 1
            }
            self.settling.removeAll(keepingCapacity: true)
        }
    }

    private func trapOnOpenHandle() {
        var open: UnsafeMutablePointer<uv_handle_t>?
        withUnsafeMutablePointer(to: &open) { open in
            uv_walk(
                self.raw,
                { handle, found in
                    guard uv_is_closing(handle) == 0 else { return }
                    found!.assumingMemoryBound(to: UnsafeMutablePointer<uv_handle_t>?.self).pointee = handle
                },
                open
            )
        }
        guard let open else { return }
        let kind = String(cString: uv_handle_type_name(uv_handle_get_type(open)))
        preconditionFailure("an event loop was closed while a \(kind) handle was still open")
    }

    private static func makeRaw() throws(UVError) -> UnsafeMutablePointer<uv_loop_t> {
        let raw = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
        let code = uv_loop_init(raw)
        guard code == 0 else {
            raw.deallocate()
            throw UVError(code: code, call: "uv_loop_init")
        }
        return raw
    }

    private static func handle<Raw>(_ raw: UnsafeMutablePointer<Raw>) -> UnsafeMutablePointer<uv_handle_t> {
        UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_handle_t.self)
    }
}

@available(*, unavailable, message: "a loop stays on its thread")
extension EventLoop: Sendable {}
