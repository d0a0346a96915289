import RequestCosts

/// Every odd request of the tests, and its charge, for deploy/bench/costs.py, which compares the cost of each with a
/// poll's.
enum CostsBenchmark {
    static func run(rounds: Int, isCounting: Bool) throws {
        let sheet = CoreSheet(rounds: rounds, isCounting: isCounting)
        let path = try RequestPath()
        for request in [OddRequest.plain(token: path.token)] + OddRequest.all(token: path.token) {
            let charged = path.charged(for: request)
            sheet.measure(request.name, count: 1, charged: charged) { use(path.charged(for: request)) }
        }
    }
}
