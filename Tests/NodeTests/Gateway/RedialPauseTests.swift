import Booking
import Node
import Testing

@Suite struct RedialPauseTests {
    @Test func `the pause doubles from 10 ms to 50 ms`() {
        var pause = RedialPause()
        let pauses = (0..<5).map { _ in pause.next() }
        #expect(pauses == [10, 20, 40, 50, 50].map { .milliseconds($0) })
    }
}
