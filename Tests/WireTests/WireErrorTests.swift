import Testing
import Wire

@Suite struct WireErrorTests {
    @Test func `an error reads as its reason`() { #expect(WireError("frame too long").description == "frame too long") }
}
