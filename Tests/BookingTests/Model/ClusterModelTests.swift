import Testing

@testable import Booking

/// Random histories against the model, and against a replay of their own facts. `USHER_TRACE=1` prints every command
/// before it is carried out.
@Suite struct ClusterModelTests {
    /// Runs of 500 steps: 15 batches of 16 seeds, over 1, 2 and 4 shards in turn.
    @Test(arguments: 0..<15)
    func `shards answer as the model does, and a replay or a snapshot ends in the same state`(batch: Int) {
        for seed in UInt64(batch * 16)..<UInt64(batch * 16 + 16) {
            var run = RandomRun(seed: seed, shardCount: [1, 2, 4][Int(seed % 3)])
            do {
                try run.run(steps: 500)
                try Self.compareReplays(run.cluster)
            } catch {
                Issue.record("\(error)\n\(run.history)")
                return
            }
        }
    }

    private static func compareReplays(_ cluster: TestCluster) throws {
        let payments = cluster.model.payments.map(\.id)
        let cancellations = cluster.model.cancellations.map(\.id)
        func dump(_ shard: borrowing Shard) -> ShardDump {
            ShardDump(shard, users: SmallWorld.users, payments: payments, cancellations: cancellations)
        }
        for (index, node) in cluster.nodes.enumerated() {
            let replayed = cluster.replayed(index)
            replayed.checkInvariants()
            let live = dump(node.shard)
            guard dump(replayed) == live else {
                throw TestCluster.Divergence(description: "a replay of shard \(index) ends in another state")
            }
            let restored = try cluster.restored(index)
            restored.checkInvariants()
            guard dump(restored) == live else {
                throw TestCluster.Divergence(description: "a snapshot of shard \(index) brings back another state")
            }
            let items = TestCluster.items(node.shard)
            guard TestCluster.items(replayed) == items, TestCluster.items(restored) == items else {
                throw TestCluster.Divergence(description: "a snapshot of shard \(index) depends on how it came to be")
            }
        }
    }
}
