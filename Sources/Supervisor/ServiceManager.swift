import Glibc

/// Reports to systemd, if it started this process, as a unit of `Type=notify` must (sd_notify(3)): one datagram to the
/// socket that `NOTIFY_SOCKET` names. Otherwise does nothing.
enum ServiceManager {
    enum Note: String {
        /// The cluster accepts requests.
        case ready = "READY=1"
        case stopping = "STOPPING=1"
    }

    /// Never waits. A note that can't be sent is lost: systemd then reports a start time-out.
    static func tell(_ note: Note) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }) else { return }
        self.send(note.rawValue, to: path)
    }

    /// A path that starts with `@` names an abstract socket (unix(7)).
    static func send(_ text: String, to path: String) {
        var address = sockaddr_un()
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.hasPrefix("/") || path.hasPrefix("@"), path.utf8.count < room else { return }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            bytes.copyBytes(from: path.utf8)
            if path.hasPrefix("@") { bytes[0] = 0 }
        }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size - room + path.utf8.count)
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                _ = sendto(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL), target, length)
            }
        }
    }
}
