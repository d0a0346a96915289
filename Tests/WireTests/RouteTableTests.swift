import Booking
import Testing

@testable import Wire

/// The table of routes: each call is found by its path and method, and by what it asks a shard.
@Suite struct RouteTableTests {
    private static func route(_ method: HTTPMethod, _ path: String) -> String? {
        Array(path.utf8).withUnsafeBytes { bytes in
            RouteTable.contract.path(ByteView(bytes))
                .flatMap { RouteTable.contract.route(method, of: $0) }
                .map { "\($0.pointee.name)" }
        }
    }

    @Test func `each call is found by its path and method`() {
        for route in Route.all { #expect(Self.route(route.method, "\(route.path)") == "\(route.name)") }
    }

    @Test func `HEAD finds what GET does, and other methods nothing`() {
        #expect(Self.route(.head, "/api/v1/waiting") == "poll")
        #expect(Self.route(.put, "/api/v1/waiting") == nil)
        #expect(Self.route(.head, "/api/v1/payment") == nil)
        #expect(Self.route(.options, "/api/v1/waiting") == nil)
    }

    @Test func `a path that is longer than any is none`() {
        #expect(Self.route(.get, "/" + String(repeating: "a", count: 5_000)) == nil)
    }

    @Test func `every kind that a client can ask for has one call`() {
        for kind in Request.Kind.allCases {
            let isAsked = Route.all.filter { $0.kind == kind }.count
            let isInternal = [.debit, .credit, .transfersSeen, .claim].contains(kind)
            #expect(isAsked == (isInternal ? 0 : 1), "\(kind)")
            #expect((RouteTable.contract.route(asking: kind) == nil) == isInternal, "\(kind)")
        }
    }
}
