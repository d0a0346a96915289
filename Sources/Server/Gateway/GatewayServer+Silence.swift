import Booking
import Links
import Logging
import Wire

/// Shards that hang: their links are up, and nothing comes back.
extension GatewayServer {
    /// The shards that can be reached, and have not answered for `gateway.silentShardSeconds`.
    var silentShards: [Int] {
        let now = Self.steadyTime
        return self.watches.indices.filter {
            self.machine.isUp($0) && self.watches[$0].silence(at: now) >= self.silenceMax
        }
    }

    /// Each tick.
    func watchShards() {
        let now = Self.steadyTime
        for shard in self.watches.indices where self.machine.isUp(shard) && self.watches[shard].look(at: now) {
            self.diallers[shard].link?.send(.ping, requestID: LinkWatch.pingID)
        }
        let silent = self.silentShards
        guard silent != self.toldSilent else { return }
        let told = self.toldSilent
        self.toldSilent = silent
        for shard in silent where !told.contains(shard) {
            self.log.warning("a shard does not answer", metadata: ["shard": "\(shard)"])
        }
        for shard in told where !silent.contains(shard) && self.machine.isUp(shard) {
            self.log.info("a shard answers again", metadata: ["shard": "\(shard)"])
        }
    }
}
