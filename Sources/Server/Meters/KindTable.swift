import Booking

/// One value for each kind of request, found by its number: no hashing on the hot path.
struct KindTable<Value> {
    static var kinds: [Request.Kind] { requestKinds }
    private var values: [Value]

    init(_ value: Value) {
        self.values = Array(repeating: value, count: Int(requestKinds.map(\.rawValue).max()!) + 1)
    }

    subscript(kind: Request.Kind) -> Value {
        get { self.values[Int(kind.rawValue)] }
        _modify { yield &self.values[Int(kind.rawValue)] }
    }
}

/// Kept, since `allCases` makes a new array each time.
private let requestKinds = Request.Kind.allCases
