import Booking
import Logging

/// What shards notice about each other's journals, in words for whoever must act.
extension Logger {
    func tell(_ alert: Shard.Alert) {
        switch alert {
        case .isBehind(let shard, let slots, let slot, let own, let seen):
            self.error(
                "this shard's journal is older than what another shard has seen of it: what was sold since is for sale again",
                metadata: [
                    "seen_by": "shard \(shard)", "slots": "\(slots)",
                    "last_id_here": "\(own == 0 ? 0 : SlotIDs.make(slot, counter: own))",
                    "last_id_seen": "\(SlotIDs.make(slot, counter: seen))",
                    "remedy": """
                    ids go on behind those. Users of that shard have paid for seats that are free again, or have cancelled \
                    seats that are sold again: usher journal export --shard \(shard) names each (debited, credited). A newer \
                    copy of this journal, if there is one, loses less
                    """,
                ]
            )
        case .otherIsBehind(let lost):
            self.error(
                "another shard's journal is older than what it has answered this one: points have come back, or are missing, of at least so many",
                metadata: [
                    "shard": "\(lost.shard)", "payments_without_debit": "\(lost.payments)",
                    "won_not_debited": "\(lost.debited)", "cancellations_without_credit": "\(lost.cancellations)",
                    "won_not_credited": "\(lost.credited)",
                    "remedy": """
                    usher journal export of this shard names them. Charge the users what they are owed; a newer copy of that \
                    shard's journal, if there is one, loses less
                    """,
                ]
            )
        case .conflict(let transfer, let shard):
            self.error(
                "the id of a transfer is another's on the user's shard: it was given up, and no points moved",
                metadata: Self.metadata(transfer, shard)
            )
        case .creditForgotten(let transfer, let shard):
            self.error(
                "a cancellation can be neither done nor given up: its shard was put back from too old a copy",
                metadata: Self.metadata(transfer, shard).merging([
                    "remedy": "look whether the user has the points (usher journal export), and charge them if not"
                ]) { $1 }
            )
        }
    }

    private static func metadata(_ transfer: Transfer, _ shard: Int) -> Metadata {
        [
            "id": "\(transfer.id)", "concert": "\(transfer.concert)", "user": "\(transfer.user)",
            "amount": "\(transfer.amount)", "direction": "\(transfer.direction)", "user_shard": "\(shard)",
        ]
    }
}
