extension ShardStats.Concert {
    /// The number of people and seats that the concert involves now.
    fileprivate var people: UInt64 { self.waiting + self.admitted + self.held + self.sold }

    fileprivate mutating func add(_ other: Self) {
        self.joined += other.joined
        self.waiting += other.waiting
        self.admitted += other.admitted
        self.gone.left += other.gone.left
        self.gone.lapsed += other.gone.lapsed
        self.gone.usedUp += other.gone.usedUp
        self.held += other.held
        self.sold += other.sold
        self.free += other.free
        self.takings += other.takings
    }
}

extension ShardStats {
    /// `concerts` is in the order of ids, and stays so.
    public mutating func fill(_ concerts: [Concert]) {
        guard concerts.count > Self.concertsMax else { return self.concerts = concerts }
        let byPeople = concerts.indices.sorted { concerts[$0].people > concerts[$1].people }
        var others = Others(count: UInt64(concerts.count - Self.concertsMax))
        for index in byPeople[Self.concertsMax...] { others.sum.add(concerts[index]) }
        self.concerts = byPeople[..<Self.concertsMax].sorted().map { concerts[$0] }
        self.otherConcerts = others
    }
}
