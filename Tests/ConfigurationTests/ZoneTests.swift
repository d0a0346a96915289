import Testing

@testable import Configuration

@Suite struct ZoneTests {
    /// Checked with `date -d`: zone, moment, what its clocks show.
    @Test(arguments: [
        ("Asia/Seoul", 1_767_193_200, "2026-01-01 00:00:00"), ("Asia/Seoul", 1_893_492_000, "2030-01-01 19:00:00"),
        ("UTC", 0, "1970-01-01 00:00:00"), ("UTC", 951_782_400, "2000-02-29 00:00:00"),
        ("Europe/Berlin", 1_774_745_999, "2026-03-29 01:59:59"),
        ("Europe/Berlin", 1_774_746_000, "2026-03-29 03:00:00"),
        ("Europe/Berlin", 1_792_889_999, "2026-10-25 02:59:59"),
        ("Europe/Berlin", 1_792_890_000, "2026-10-25 02:00:00"),
        ("America/St_Johns", 1_782_000_000, "2026-06-20 21:30:00"),
        ("Asia/Kathmandu", 1_782_000_000, "2026-06-21 05:45:00"),
    ])
    func `a moment is shown as the zone's clocks show it`(name: String, seconds: Int64, text: String) throws {
        let zone = try #require(Zone(named: name))
        #expect(zone.time(at: seconds).description == text)
    }

    @Test func `a time that comes twice is the earlier moment, one that is skipped is none`() throws {
        let zone = try #require(Zone(named: "Europe/Berlin"))
        let moments = try ["2026-10-25 02:30:00", "2026-03-29 02:30:00", "2026-03-29 03:00:00"].map {
            zone.seconds(of: try #require(LocalTime($0)))
        }
        #expect(moments == [1_792_888_200, nil, 1_774_746_000])
    }

    @Test(arguments: [
        "Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC",
    ])
    func `every moment comes back from its text, but in the hour that comes twice`(name: String) throws {
        let zone = try #require(Zone(named: name))
        for seconds in stride(from: Int64(0), to: 4_102_444_800, by: 86_400 * 3 + 7_919) {
            let text = zone.time(at: seconds).description
            let time = try #require(LocalTime(text))
            let moment = try #require(zone.seconds(of: time))
            #expect(moment == seconds || (moment < seconds && zone.time(at: moment) == zone.time(at: seconds)))
        }
    }

    @Test func `a zone that does not exist is none`() {
        #expect(Zone(named: "Asia/Soul") == nil)
        #expect(Zone(named: "") == nil)
        #expect(Zone(named: "../../etc/passwd") == nil)
    }

    @Test(arguments: [
        "", "2026-01-01", "2026-01-01T00:00:00", "2026-1-1 00:00:00", "2026-02-29 00:00:00", "2026-13-01 00:00:00",
        "2026-00-01 00:00:00", "2026-04-31 00:00:00", "2026-01-01 24:00:00", "2026-01-01 00:60:00",
        "2026-01-01 00:00:60", "0000-01-01 00:00:00", "2026-01-01 00:00:00 ", "+026-01-01 00:00:00",
    ])
    func `a text that is no time is refused`(text: String) { #expect(LocalTime(text) == nil) }
}
