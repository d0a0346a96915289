import Glibc
import Testing

@testable import Reactor

/// Lends a loop to `body`, which runs it, and closes it: an open handle traps. A hanging test is ended after a minute,
/// far longer than the slowest machine needs.
func withLoop(_ body: (EventLoop) throws -> Void) throws {
    let loop = try EventLoop()
    let watchdog = LoopTimer(on: loop) { preconditionFailure("the test hangs") }
    watchdog.keepsLoopAlive = false
    watchdog.start(afterMilliseconds: 60_000)
    do {
        try body(loop)
    } catch {
        _ = Unmanaged.passRetained(loop)  // what the test left open would trap, and hide why it failed
        throw error
    }
    watchdog.close()
    loop.close()
}

/// A folder of its own under /tmp, gone afterwards. Short, for the sake of socket paths.
func withFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/usher-XXXXXX".utf8CString)
    let path = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { removeFolder(path) }
    try body(path)
}

private func removeFolder(_ path: String) {
    guard let folder = opendir(path) else { return }
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        unlink("\(path)/\(name)")
    }
    closedir(folder)
    rmdir(path)
}

/// Two ends of a TCP connection on one loop: `serve` gets the accepted end, then `use` the opened one; the listener
/// closes once both are there.
func connectPair(
    on loop: EventLoop,
    serve: @escaping (Connection) -> Void,
    use: (Connection) -> Void
) throws {
    let listener = try TCPListener(on: loop, address: .loopback())
    listener.onConnection = { [unowned listener] in
        serve($0)
        listener.close()
    }
    use(try Connection(on: loop, to: .loopback(port: listener.port)))
}

func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

extension Connection {
    /// This end's TCP port.
    var localPort: UInt16? {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutableBytes(of: &address) {
            getsockname(self.descriptor ?? -1, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size)
        }
        return code == 0 ? UInt16(bigEndian: address.sin_port) : nil
    }
}
