import Reactor
import Testing

@Suite struct ResourceLimitsTests {
    @Test func `raising open files brings the soft limit to the hard one`() async {
        await #expect(processExitsWith: .success) {
            let before = try ResourceLimits.setOpenFiles(soft: 100)
            #expect(before.soft == 100)
            let after = try ResourceLimits.raiseOpenFiles()
            #expect(after.soft == before.hard)
            #expect(try ResourceLimits.openFiles() == after)
        }
    }

    @Test func `a soft limit above the hard one is refused`() throws {
        let hard = try ResourceLimits.openFiles().hard
        guard hard < UInt64.max else { return }
        #expect(throws: UVError.self) { try ResourceLimits.setOpenFiles(soft: hard + 1) }
    }
}
