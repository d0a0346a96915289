import CLibuv
import Glibc

/// A process that this one started, until it ends.
///
/// **Happy path.** `init` returns when the child runs the new program; `onExit` reports once how it ended, then the
/// handle closes by itself. **When it can't be started** (no such file, no memory), `init` throws and there is no
/// child. **When this process dies first**, the child lives on; to end with its parent, a child watches its end of the
/// control pipe. `close()` before the end leaves the child running, unwatched.
public final class ChildProcess: LoopHandle {
    /// How a process ended.
    public enum Exit: Equatable, Sendable {
        /// By itself: 0 is success.
        case status(Int32)
        case signal(Int32)
    }

    /// The destination of the child's output.
    public enum Output: Sendable {
        /// This process's own output.
        case inherited
        case discarded
        /// An open descriptor of this process.
        case to(Int32)
    }

    /// The child's descriptor of its end of the control pipe.
    public static let controlDescriptor: Int32 = 3
    /// The child's first descriptor of the `descriptors`; the others follow.
    public static let firstDescriptor: Int32 = 4

    public private(set) var processID: Int32 = 0
    /// This end of a Unix socket to the child, if one was requested; the owner closes it. Its end of stream means that
    /// the child is gone, or has closed its own end.
    public private(set) var controlPipe: Connection?
    private var onExit: ((Exit) -> Void)?

    /// Starts `executable` (a path, or a name looked up in PATH).
    ///
    /// - Parameters:
    ///   - arguments: what follows the program's name.
    ///   - environment: `NAME=value` each; nil passes ours on.
    ///   - directory: where the child starts; nil is here.
    ///   - output: standard output and error. Standard input is always empty.
    ///   - hasControlPipe: opens a Unix socket between the two; see `controlPipe`.
    ///   - descriptors: open descriptors of ours that the child gets copies of, from `firstDescriptor` on.
    ///   - hasOwnSession: takes the child out of our terminal's reach, so that Ctrl-C goes to us alone.
    public init(
        on loop: EventLoop,
        executable: String,
        arguments: [String] = [],
        environment: [String]? = nil,
        directory: String? = nil,
        output: Output = .inherited,
        hasControlPipe: Bool = false,
        descriptors: [Int32] = [],
        hasOwnSession: Bool = false,
        onExit: @escaping (Exit) -> Void
    ) throws(UVError) {
        self.onExit = onExit
        super.init(UV_PROCESS, on: loop)
        if hasControlPipe { self.controlPipe = try Connection(.unix, on: loop) }
        let texts = Texts([executable] + arguments, environment, directory)
        defer { texts.free() }
        var stdio = [Self.empty()]
        for descriptor in Int32(1)...2 {
            switch output {
            case .inherited: stdio.append(Self.inherit(descriptor))
            case .discarded: stdio.append(Self.empty())
            case .to(let other): stdio.append(Self.inherit(other))
            }
        }
        if let controlPipe {
            stdio.append(Self.pipe(controlPipe))
        } else if !descriptors.isEmpty {
            stdio.append(Self.empty())
        }
        stdio += descriptors.map(Self.inherit)
        let code = stdio.withUnsafeMutableBufferPointer { stdio in
            var options = uv_process_options_t()
            options.exit_cb = Self.exited
            options.file = UnsafePointer(texts.arguments[0])
            options.args = texts.arguments
            options.env = texts.environment
            options.cwd = UnsafePointer(texts.directory)
            options.flags = hasOwnSession ? UV_PROCESS_DETACHED.rawValue : 0
            options.stdio_count = Int32(stdio.count)
            options.stdio = stdio.baseAddress
            return uv_spawn(loop.raw, self.raw(as: uv_process_t.self), &options)
        }
        // uv_spawn initialises the handle first, so it must be closed even if the rest failed.
        self.raw.pointee.data = Unmanaged.passRetained(self).toOpaque()
        guard code == 0 else {
            self.controlPipe?.close()
            self.close()
            throw UVError(code: code, call: "start \(executable)")
        }
        self.controlPipe?.opened()
        self.processID = uv_process_get_pid(self.raw(as: uv_process_t.self))
    }

    /// Sends a signal. Does nothing once the end was reported, so it never hits another process with a reused number.
    public func kill(_ signal: Int32) {
        guard !self.isClosed else { return }
        // ESRCH is a child that has ended and is not reported yet; EPERM one that changed its user: `onExit`, or its
        // absence, tells the owner the result.
        uv_process_kill(self.raw(as: uv_process_t.self), signal)
    }

    override func willClose() { self.onExit = nil }

    private static var exited: uv_exit_cb {
        { raw, status, signal in
            Unmanaged<ChildProcess>.fromOpaque(raw!.pointee.data)._withUnsafeGuaranteedRef { child in
                let onExit = child.onExit
                child.close()
                onExit?(signal == 0 ? .status(Int32(truncatingIfNeeded: status)) : .signal(signal))
            }
        }
    }

    /// Opens `/dev/null` there.
    private static func empty() -> uv_stdio_container_t {
        uv_stdio_container_t(flags: UV_IGNORE, data: .init(fd: 0))
    }

    private static func inherit(_ descriptor: Int32) -> uv_stdio_container_t {
        uv_stdio_container_t(flags: UV_INHERIT_FD, data: .init(fd: descriptor))
    }

    private static func pipe(_ connection: Connection) -> uv_stdio_container_t {
        let flags = UV_CREATE_PIPE.rawValue | UV_READABLE_PIPE.rawValue | UV_WRITABLE_PIPE.rawValue
        return uv_stdio_container_t(flags: uv_stdio_flags(flags), data: .init(stream: connection.stream))
    }

    /// Arguments, environment and directory as C strings.
    private struct Texts {
        typealias List = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
        let arguments: List
        let environment: List?
        let directory: UnsafeMutablePointer<CChar>?

        init(_ arguments: [String], _ environment: [String]?, _ directory: String?) {
            self.arguments = Self.list(arguments)
            self.environment = environment.map(Self.list)
            self.directory = directory.map { strdup($0) }
        }

        func free() {
            Self.free(self.arguments)
            self.environment.map(Self.free)
            Glibc.free(self.directory)
        }

        private static func list(_ texts: [String]) -> List {
            let list = List.allocate(capacity: texts.count + 1)
            for (index, text) in texts.enumerated() { (list + index).initialize(to: strdup(text)) }
            (list + texts.count).initialize(to: nil)
            return list
        }

        private static func free(_ list: List) {
            var next = list
            while let text = next.pointee {
                Glibc.free(text)
                next += 1
            }
            list.deallocate()
        }
    }
}
