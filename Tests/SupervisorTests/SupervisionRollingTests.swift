import Booking
import Testing

@testable import Supervisor

@Suite struct SupervisionRollingTests {
    private typealias Script = SupervisionScript

    @Test func `gateways are replaced first, each by one that is ready, then shards, each in its own place`() {
        var script = Script.running(gateways: 2)
        script.roll(at: 0)
        script.ready("gateway 0/1", at: 10)
        script.died("gateway 0", at: 20)
        script.ready("gateway 1/1", at: 30)
        script.died("gateway 1", at: 40)
        script.died("shard 0", at: 50)
        script.ready("shard 0/1", at: 60)
        script.died("shard 1", at: 70)
        script.ready("shard 1/1", at: 80)
        #expect(
            script.lines == [
                "0 start gateway 0/1, wake 30000",
                "10 ready gateway 0/1, gateway 0/1 for gateway 0, retire gateway 0, wake 10010",
                "20 start gateway 1/1, wake 30020",
                "30 ready gateway 1/1, gateway 1/1 for gateway 1, retire gateway 1, wake 10030",
                "40 retire shard 0, wake 10040",
                "50 start shard 0/1, wake 30050",
                "60 ready shard 0/1, shard 0/1 for shard 0, retire shard 1, wake 10060",
                "70 start shard 1/1, wake 30070",
                "80 ready shard 1/1, shard 1/1 for shard 1, rolled",
            ]
        )
        #expect(script.machine.members.allSatisfy { $0.generation == 1 })
        #expect(script.machine.refusalOfRolling == nil)
    }

    @Test func `only the roles that were asked for are replaced`() {
        var script = Script.running()
        script.roll([.shard], at: 0)
        script.died("shard 0", at: 1)
        script.ready("shard 0/1", at: 2)
        script.died("shard 1", at: 3)
        script.ready("shard 1/1", at: 4)
        script.roll([.gateway], at: 5)
        script.ready("gateway 0/2", at: 6)
        script.died("gateway 0", at: 7)
        #expect(script.lines.last == "7 rolled")
        #expect(script.machine.members.map(\.generation) == [1, 1, 2])
    }

    @Test func `while one is under way, or the cluster starts or stops, another is refused`() {
        var script = Script(shards: 1, gateways: 1)
        #expect(script.machine.refusalOfRolling == "the cluster is starting or stopping")
        script = Script.running()
        script.roll(at: 0)
        #expect(script.machine.refusalOfRolling == "a rolling restart is under way")
        script.stop(at: 1)
        #expect(script.machine.refusalOfRolling == "the cluster is starting or stopping")
    }

    @Test func `a successor that dies, or is too slow, changes nothing`() {
        var script = Script.running()
        script.roll(at: 0)
        script.died("gateway 0/1", at: 10)
        script.roll(at: 20)
        script.tick(at: 30_020)
        script.died("gateway 0/2", at: 30_030)
        #expect(
            script.lines == [
                "0 start gateway 0/1, wake 30000",
                "10 not rolled: gateway 0 of the new program ended with status 1",
                "20 start gateway 0/2, wake 30020",
                "30020 killed gateway 0/2, kill gateway 0/2",
                "30030 not rolled: gateway 0 of the new program was not ready after 30 s",
            ]
        )
        #expect(script.machine.members.allSatisfy { $0.generation == 0 })
    }

    @Test func `a shard whose new program does not start is started again with the former one`() {
        var script = Script.running()
        script.roll([.shard], at: 0)
        script.died("shard 0", at: 10)
        script.died("shard 0/1", at: 20)
        script.ready("shard 0", at: 30)
        script.roll([.shard], at: 40)
        script.died("shard 0", at: 50)
        script.tick(at: 30_050)
        script.died("shard 0/2", at: 30_060)
        script.died("shard 0", at: 30_070)
        script.ready("shard 0", at: 30_080)
        #expect(
            script.lines == [
                "0 retire shard 0, wake 10000",
                "10 start shard 0/1, wake 30010",
                "20 back to shard 0 (shard 0 of the new program ended with status 1), start shard 0, wake 30020",
                "30 ready shard 0, not rolled: shard 0 of the new program ended with status 1",
                "40 retire shard 0, wake 10040",
                "50 start shard 0/2, wake 30050",
                "30050 too slow shard 0, kill shard 0/2",
                "30060 back to shard 0 (shard 0 of the new program was not ready after 30 s), start shard 0, wake 60060",
                "30070 died shard 0 (1, in 0 ms), start shard 0, "
                    + "not rolled: shard 0 of the new program was not ready after 30 s, wake 60070",
                "30080 ready shard 0",
            ]
        )
    }

    @Test func `who does not end in time is killed, and the next one's turn comes`() {
        var script = Script.running()
        script.roll(at: 0)
        script.ready("gateway 0/1", at: 10)
        script.tick(at: 10_010)
        script.died("gateway 0", at: 10_020)
        script.tick(at: 20_020)
        script.died("shard 0", at: 20_030)
        #expect(
            Array(script.lines.dropFirst(2)) == [
                "10010 killed gateway 0, kill gateway 0",
                "10020 retire shard 0, wake 20020",
                "20020 killed shard 0, kill shard 0",
                "20030 start shard 0/1, wake 50030",
            ]
        )
    }

    @Test func `others that die meanwhile are started again as ever, and are waited for`() {
        var script = Script.running()
        script.roll(at: 0)
        script.died("shard 1", at: 5)
        script.ready("gateway 0/1", at: 10)
        script.died("gateway 0", at: 20)
        script.ready("shard 1", at: 30)
        script.died("gateway 0/1", at: 40)
        script.died("shard 0", at: 50)
        script.ready("gateway 0/1", at: 60)
        script.ready("shard 0/1", at: 70)
        #expect(
            script.lines == [
                "0 start gateway 0/1, wake 30000",
                "5 died shard 1 (1, in 0 ms), start shard 1, wake 30000",
                "10 ready gateway 0/1, gateway 0/1 for gateway 0, retire gateway 0, wake 10010",
                "20 wake 30005",
                "30 ready shard 1, retire shard 0, wake 10030",
                "40 died gateway 0/1 (1, in 0 ms), start gateway 0/1, wake 10030",
                "50 start shard 0/1, wake 30040",
                "60 ready gateway 0/1, wake 30050",
                "70 ready shard 0/1, shard 0/1 for shard 0, retire shard 1, wake 10070",
            ]
        )
    }

    @Test func `a process that stays away ends it`() {
        var script = Script.running()
        for time in [0, 1] { script.died("shard 1", at: time) }
        script.roll(at: 2)
        script.tick(at: 101)
        script.tick(at: 30_002)
        #expect(
            Array(script.lines.dropFirst(2)) == [
                "2 wake 101",
                "101 start shard 1, wake 30002",
                "30002 not rolled: not ready: shard 1, wake 30101",
            ]
        )
    }

    @Test func `a gateway that dies while its successor starts is followed by it`() {
        var script = Script.running()
        script.roll([.gateway], at: 0)
        script.died("gateway 0", at: 10)
        script.ready("gateway 0/1", at: 20)
        script.roll([.gateway], at: 30)
        script.died("gateway 0/1", at: 40)
        script.died("gateway 0/2", at: 50)
        script.ready("gateway 0/1", at: 60)
        #expect(
            script.lines == [
                "0 start gateway 0/1, wake 30000",
                "10 died gateway 0 (1, in 0 ms), wake 30000",
                "20 ready gateway 0/1, gateway 0/1 for gateway 0, rolled",
                "30 start gateway 0/2, wake 30030",
                "40 died gateway 0/1 (1, in 0 ms), wake 30030",
                "50 back to gateway 0/1 (gateway 0 of the new program ended with status 1), start gateway 0/1, wake 30050",
                "60 ready gateway 0/1, not rolled: gateway 0 of the new program ended with status 1",
            ]
        )
    }

    @Test func `a stop ends it, and takes both of a gateway with it`() {
        var script = Script.running()
        script.roll(at: 0)
        script.ready("gateway 0/1", at: 10)
        script.stop(at: 20)
        script.died("gateway 0/1", at: 30)
        script.died("gateway 0", at: 40)
        for member in ["shard 0", "shard 1"] { script.died(member, at: 50) }
        #expect(
            Array(script.lines.dropFirst(2)) == [
                "20 stopping, terminate gateway 0/1, terminate gateway 0, not rolled: the cluster was stopped, wake 10020",
                "30 wake 10020",
                "40 terminate shard 0, terminate shard 1, wake 10040",
                "50 wake 10040",
                "50 over",
            ]
        )
    }
}
