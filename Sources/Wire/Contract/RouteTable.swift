import Booking

/// The routes, arranged to be found: by the path's length and bytes, then by method; and by the kind of request that a shard was
/// asked. Made once, never freed: nothing is counted, hashed or allocated when a request is looked up.
///
///     path ──length──▶ paths of that length ──bytes──▶ path ──method──▶ route
struct RouteTable: Sendable {
    /// One path of the contract, and the calls that it answers. Compared as sent: an escape in a path is only ever there to look
    /// like another.
    struct Path: Sendable {
        let text: StaticString
        /// The methods that it answers: HEAD with GET, and OPTIONS.
        let allow: StaticString
        /// Whether all its calls are about one user.
        let isAboutUser: Bool
        /// The next path of the same length.
        fileprivate(set) var next = RouteTable.none
        fileprivate let routes: InlineArray<9, UInt8>
    }

    static let contract = RouteTable(Route.all)
    /// What OPTIONS of `*` is told: the methods of all paths together.
    static let everyMethod: StaticString = "GET, HEAD, POST, DELETE, OPTIONS"

    private static let pathBytesMax = 32
    private static let none = UInt8.max

    nonisolated(unsafe) private let routes: UnsafePointer<Route>
    nonisolated(unsafe) private let paths: UnsafePointer<Path>
    private let pathCount: Int
    private let firstOfLength: InlineArray<33, UInt8>
    private let byKind: InlineArray<64, UInt8>

    private init(_ all: [Route]) {
        let routes = UnsafeMutablePointer<Route>.allocate(capacity: all.count)
        routes.initialize(from: all, count: all.count)
        var found: [Path] = []
        var firstOfLength = InlineArray<33, UInt8>(repeating: Self.none)
        var byKind = InlineArray<64, UInt8>(repeating: Self.none)
        for (index, route) in all.enumerated() {
            if let kind = route.kind { byKind[Int(kind.rawValue)] = UInt8(index) }
            guard !found.contains(where: { ByteView(route.path) == $0.text }) else { continue }
            let length = route.path.utf8CodeUnitCount
            precondition(length <= Self.pathBytesMax, "\(route.path) is longer than any path may be")
            if let last = found.lastIndex(where: { $0.text.utf8CodeUnitCount == length }) {
                found[last].next = UInt8(found.count)
            } else {
                firstOfLength[length] = UInt8(found.count)
            }
            found.append(Path(route.path, of: all))
        }
        let paths = UnsafeMutablePointer<Path>.allocate(capacity: found.count)
        paths.initialize(from: found, count: found.count)
        self.routes = UnsafePointer(routes)
        self.paths = UnsafePointer(paths)
        self.pathCount = found.count
        self.firstOfLength = firstOfLength
        self.byKind = byKind
    }

    /// In the order of the table.
    var allPaths: [Path] { (0..<self.pathCount).map { self.paths[$0] } }

    /// Nil where there is nothing.
    @inline(__always)
    func path(_ text: ByteView) -> UnsafePointer<Path>? {
        guard text.count <= Self.pathBytesMax else { return nil }
        var at = self.firstOfLength[text.count]
        while at != Self.none {
            let path = self.paths + Int(at)
            if text == path.pointee.text { return path }
            at = path.pointee.next
        }
        return nil
    }

    /// Nil for a method that the path does not have. HEAD is answered by the route of GET.
    @inline(__always)
    func route(_ method: HTTPMethod, of path: UnsafePointer<Path>) -> UnsafePointer<Route>? {
        let index = path.pointee.routes[Int(method.rawValue)]
        return index == Self.none ? nil : self.routes + Int(index)
    }

    /// The call that asks a shard this; nil for what no client asks.
    @inline(__always)
    func route(asking kind: Request.Kind) -> UnsafePointer<Route>? {
        let index = self.byKind[Int(kind.rawValue)]
        return index == Self.none ? nil : self.routes + Int(index)
    }
}

extension RouteTable.Path {
    fileprivate init(_ text: StaticString, of all: [Route]) {
        var routes = InlineArray<9, UInt8>(repeating: UInt8.max)
        var methods: Set<HTTPMethod> = []
        for (index, route) in all.enumerated() where ByteView(route.path) == text {
            precondition(methods.insert(route.method).inserted, "\(route.method) \(text) is two calls")
            routes[Int(route.method.rawValue)] = UInt8(index)
            if route.method == .get { routes[Int(HTTPMethod.head.rawValue)] = UInt8(index) }
        }
        self.text = text
        self.routes = routes
        self.allow = Self.allow(methods)
        self.isAboutUser = all.allSatisfy { ByteView($0.path) != text || $0.isAboutUser }
    }

    /// A literal, as all that stands in a head.
    private static func allow(_ methods: Set<HTTPMethod>) -> StaticString {
        switch methods {
        case [.get]: "GET, HEAD, OPTIONS"
        case [.post]: "POST, OPTIONS"
        case [.delete]: "DELETE, OPTIONS"
        case [.get, .post]: "GET, HEAD, POST, OPTIONS"
        case [.get, .delete]: "GET, HEAD, DELETE, OPTIONS"
        case [.post, .delete]: "POST, DELETE, OPTIONS"
        case [.get, .post, .delete]: RouteTable.everyMethod
        default: preconditionFailure("no words for a path that answers \(methods)")
        }
    }
}
