import Reactor
import Testing

@Suite struct UVErrorTests {
    @Test func `an error says which call failed and why`() {
        #expect(UVError(code: -2, call: "uv_fs_open").description == "uv_fs_open: no such file or directory (ENOENT)")
    }
}
