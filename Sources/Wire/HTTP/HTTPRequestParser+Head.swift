/// The request line and the field lines (RFC 9112, sections 3 and 5). Each reader starts at a line's first byte,
/// returns false while the line's end is missing, and refuses at the first invalid byte, so that a peer with another
/// protocol gets an answer at once.
extension HTTPRequestParser {
    private static let lineFeed: UInt8 = 0x0A
    private static let carriageReturn: UInt8 = 0x0D
    private static let space: UInt8 = 0x20
    private static let tab: UInt8 = 0x09

    // MARK: Request line

    mutating func readRequestLine() throws(HTTPRefusal) -> Bool {
        let bytes = self.bytes
        let end = bytes.count
        guard try self.skipEmptyLines(bytes) else { return false }

        guard let targetStart = try self.readMethod(bytes) else { return false }
        let targetStop = min(end, targetStart + self.limits.targetBytesMax)
        let targetEnd = bytes.skip(.target, from: targetStart, to: targetStop, self.table)
        guard targetEnd < end else { return false }
        let after = bytes.byte(targetEnd)
        guard after == Self.space, targetEnd > targetStart else {
            if self.table[Int(after)] & ByteClass.target.rawValue != 0 { throw .targetTooLong }
            switch after {
            case Self.lineFeed: throw .bareLineFeed
            case Self.carriageReturn, Self.space: throw .requestLineInvalid
            default: throw .targetInvalid
            }
        }

        guard let lineEnd = try self.readVersion(bytes, from: targetEnd + 1) else { return false }
        try self.readTarget(bytes, targetStart, targetEnd)
        self.position = lineEnd
        self.fieldsStart = lineEnd
        self.stage = .fields
        return true
    }

    /// The offset behind the method and its space, or nil when bytes are missing.
    @inline(__always)
    private mutating func readMethod(_ bytes: ByteView) throws(HTTPRefusal) -> Int? {
        let start = self.position
        // The two methods of nearly all requests.
        if start + 5 <= bytes.count {
            switch bytes.half(start) {
            case 0x2054_4547:  // "GET ", the first letter lowest
                self.method = .get
                return start + 4
            case 0x5453_4F50 where bytes.byte(start + 4) == Self.space:  // "POST"
                self.method = .post
                return start + 5
            default: break
            }
        }
        let stop = min(bytes.count, start + HTTPLimits.methodBytesMax + 1)
        let end = bytes.skip(.token, from: start, to: stop, self.table)
        guard end - start <= HTTPLimits.methodBytesMax else { throw .methodUnknown }
        guard end < bytes.count else { return nil }
        guard bytes.byte(end) == Self.space, end > start else {
            throw bytes.byte(end) == Self.lineFeed ? .bareLineFeed : .methodInvalid
        }
        guard let method = HTTPMethod(bytes.part(start, end)) else { throw .methodUnknown }
        self.method = method
        return end + 1
    }

    /// A few empty lines before a request are skipped: some clients end a body with one (RFC 9112, section 2.2).
    private mutating func skipEmptyLines(_ bytes: ByteView) throws(HTTPRefusal) -> Bool {
        while self.position < bytes.count, bytes.byte(self.position) == Self.carriageReturn {
            guard self.emptyLineCount < self.limits.emptyLinesMax else { throw .tooManyEmptyLines }
            guard self.position + 1 < bytes.count else { return false }
            guard bytes.byte(self.position + 1) == Self.lineFeed else { throw .bareCarriageReturn }
            self.position += 2
            self.emptyLineCount += 1
        }
        return self.position < bytes.count
    }

    /// Reads `HTTP/1.1` and the line's end; the offset behind it, or nil when bytes are missing. A minor version above
    /// 1 is answered as 1.1 (RFC 9110, section 2.5).
    private mutating func readVersion(_ bytes: ByteView, from start: Int) throws(HTTPRefusal) -> Int? {
        let usual: UInt64 = 0x312E_312F_5054_5448  // "HTTP/1.1", the first letter lowest
        if bytes.count >= start + 10, bytes.word(start) == usual, bytes.byte(start + 8) == Self.carriageReturn,
            bytes.byte(start + 9) == Self.lineFeed
        {
            self.isOldVersion = false
            return start + 10
        }
        let pattern = ByteView("HTTP/0.0")
        for at in 0..<10 {
            guard start + at < bytes.count else { return nil }
            let byte = bytes.byte(start + at)
            switch at {
            case 5, 7:
                if byte == Self.lineFeed { throw .bareLineFeed }
                guard self.table[Int(byte)] & ByteClass.digit.rawValue != 0 else { throw .versionInvalid }
                if at == 7 && bytes.byte(start + 5) != UInt8(ascii: "1") { throw .versionUnsupported }
            case 8:
                switch byte {
                case Self.carriageReturn: break
                case Self.lineFeed: throw .bareLineFeed
                case Self.space, Self.tab: throw .requestLineInvalid
                default: throw .versionInvalid
                }
            case 9: guard byte == Self.lineFeed else { throw .bareCarriageReturn }
            default:
                if byte == Self.lineFeed { throw .bareLineFeed }
                guard byte == pattern.byte(at) else { throw .versionInvalid }
            }
        }
        self.isOldVersion = bytes.byte(start + 7) == UInt8(ascii: "0")
        return start + 10
    }

    /// Distinguishes the four forms and finds host, path and query (RFC 9112, section 3.2).
    private mutating func readTarget(_ bytes: ByteView, _ start: Int, _ end: Int) throws(HTTPRefusal) {
        let first = bytes.byte(start)
        var pathStart = start
        if self.method == .connect {
            let target = bytes.part(start, end)
            guard HTTPHost.isValid(target, needsPort: true, self.table) else { throw .targetFormInvalid }
            self.form = .authority
            self.host = start..<end
            self.path = end..<end
            self.query = end..<end
            return
        } else if first == UInt8(ascii: "/") {
            self.form = .origin
        } else if first == UInt8(ascii: "*") && end - start == 1 {
            guard self.method == .options else { throw .targetFormInvalid }
            self.form = .asterisk
        } else {
            let hostStart = try self.readScheme(bytes, start, end)
            pathStart = hostStart
            while pathStart < end, bytes.byte(pathStart) != UInt8(ascii: "/"),
                bytes.byte(pathStart) != UInt8(ascii: "?")
            {
                pathStart += 1
            }
            guard HTTPHost.isValid(bytes.part(hostStart, pathStart), self.table) else { throw .hostInvalid }
            self.form = .absolute
            self.host = hostStart..<pathStart
        }
        let mark = bytes.firstIndex(of: UInt8(ascii: "?"), from: pathStart, to: end)
        self.path = pathStart..<(mark ?? end)
        self.query = (mark.map { $0 + 1 } ?? end)..<end
    }

    /// The offset behind `http://` or `https://`.
    private func readScheme(_ bytes: ByteView, _ start: Int, _ end: Int) throws(HTTPRefusal) -> Int {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":"), from: start, to: end), colon + 3 <= end,
            bytes.byte(colon + 1) == UInt8(ascii: "/"), bytes.byte(colon + 2) == UInt8(ascii: "/")
        else { throw .targetFormInvalid }
        let scheme = bytes.part(start, colon)
        guard scheme.isEqualIgnoringCase("http") || scheme.isEqualIgnoringCase("https") else {
            throw .targetSchemeInvalid
        }
        return colon + 3
    }

    // MARK: Field lines

    /// Reads the field lines of the head, or the trailers of a chunked body, which are checked and dropped.
    mutating func readFields() throws(HTTPRefusal) -> Bool {
        let bytes = self.bytes
        let isTrailer = self.stage == .trailers
        let bound = self.fieldsStart + self.limits.headerBytesMax
        let stop = min(bytes.count, bound)
        let isBounded = bytes.count >= bound
        let within = bytes.part(0, stop)
        let table = self.table
        var line = self.position
        while true {
            self.position = line
            guard line < stop else { return try Self.wait(isBounded) }
            switch bytes.byte(line) {
            case Self.carriageReturn:
                guard line + 1 < stop else { return try Self.wait(isBounded) }
                guard bytes.byte(line + 1) == Self.lineFeed else { throw .bareCarriageReturn }
                self.position = line + 2
                if isTrailer {
                    self.stage = .delivered
                } else {
                    try self.endHead()
                }
                return true
            case Self.space, Self.tab: throw .headerFolded
            case Self.lineFeed: throw .bareLineFeed
            default: break
            }

            let quick = HTTPHeaders.Known(lineAt: line, of: within)
            let nameEnd: Int
            if let quick {
                nameEnd = line + quick.nameCount
            } else {
                nameEnd = bytes.skip(.token, from: line, to: stop, table)
                guard nameEnd < stop else { return try Self.wait(isBounded) }
                guard bytes.byte(nameEnd) == UInt8(ascii: ":"), nameEnd > line else {
                    switch bytes.byte(nameEnd) {
                    case Self.space, Self.tab: throw .spaceBeforeColon
                    case Self.lineFeed: throw .bareLineFeed
                    default: throw .headerNameInvalid
                    }
                }
            }

            let valueEnd = bytes.skipToControl(from: nameEnd + 1, to: stop)
            guard valueEnd < stop else { return try Self.wait(isBounded) }
            guard bytes.byte(valueEnd) == Self.carriageReturn else {
                throw bytes.byte(valueEnd) == Self.lineFeed ? .bareLineFeed : .headerValueInvalid
            }
            guard valueEnd + 1 < stop else { return try Self.wait(isBounded) }
            guard bytes.byte(valueEnd + 1) == Self.lineFeed else { throw .bareCarriageReturn }

            if isTrailer {
                guard self.trailerCount < self.limits.headerCountMax else { throw .headersTooMany }
                self.trailerCount += 1
            } else {
                try self.parseField(bytes, line, nameEnd, valueEnd, quick)
            }
            line = valueEnd + 2
        }
    }

    /// Bytes are missing; if the allowed number has come, the line is too long.
    @inline(__always)
    private static func wait(_ isBounded: Bool) throws(HTTPRefusal) -> Bool {
        if isBounded { throw .headersTooLarge }
        return false
    }

    @inline(__always)
    private mutating func parseField(
        _ bytes: ByteView,
        _ nameStart: Int,
        _ nameEnd: Int,
        _ lineEnd: Int,
        _ quick: HTTPHeaders.Known?
    ) throws(HTTPRefusal) {
        guard self.slotCount < self.limits.headerCountMax else { throw .headersTooMany }
        if self.slotCount == self.slotCapacity { self.growSlots() }
        let start = bytes.skipBlanks(from: nameEnd + 1, to: lineEnd)
        let end = bytes.skipBlanks(backFrom: lineEnd, to: start)
        self.slots[self.slotCount] = HTTPHeaders.Slot(
            name: UInt32(truncatingIfNeeded: nameStart),
            nameCount: UInt32(truncatingIfNeeded: nameEnd - nameStart),
            value: UInt32(truncatingIfNeeded: start),
            valueCount: UInt32(truncatingIfNeeded: end - start)
        )
        self.slotCount += 1
        guard let known = quick ?? HTTPHeaders.Known(bytes.part(nameStart, nameEnd)) else { return }
        let isRepeated = self.index[Int(known.rawValue)] != 0
        self.index[Int(known.rawValue)] = UInt8(truncatingIfNeeded: self.slotCount)
        try self.parseKnownField(known, bytes.part(start, end), start..<end, isRepeated: isRepeated)
    }

    private mutating func growSlots() {
        let larger = UnsafeMutablePointer<HTTPHeaders.Slot>.allocate(capacity: 4 * self.slotCapacity)
        larger.moveInitialize(from: self.slots, count: self.slotCount)
        self.slots.deallocate()
        self.slots = larger
        self.slotCapacity *= 4
    }

    private mutating func parseKnownField(
        _ known: HTTPHeaders.Known,
        _ value: ByteView,
        _ range: Range<Int>,
        isRepeated: Bool
    ) throws(HTTPRefusal) {
        switch known {
        case .host:
            guard !isRepeated else { throw .hostRepeated }
            guard HTTPHost.isValid(value, self.table) else { throw .hostInvalid }
            // The host of an absolute target counts, and `Host` is ignored (RFC 9112, section 3.2.2).
            if self.form != .absolute && self.form != .authority { self.host = range }
        case .connection:
            self.parseConnection(value)
        case .contentLength:
            guard !isRepeated else { throw .contentLengthRepeated }
            self.contentLength = try Self.length(value)
        case .transferEncoding:
            guard !isRepeated else { throw .transferEncodingRepeated }
            guard !self.isOldVersion else { throw .transferEncodingInOldVersion }
            try Self.checkCoding(value)
            self.isChunked = true
        case .expect:
            guard value.isEqualIgnoringCase("100-continue") else { throw .expectationUnknown }
            // An HTTP/1.0 client can't mean it: to be ignored (RFC 9110, section 10.1.1).
            self.expectsContinue = !self.isOldVersion
        case .contentEncoding: if !Self.isIdentity(value) { self.rejection = .contentCoding }
        case .contentRange: if self.method.isChange { self.rejection = self.rejection ?? .contentRange }
        case .ifMatch: if self.method.isChange, value != "*" { self.rejection = self.rejection ?? .precondition }
        case .concertToken, .acceptLanguage, .contentType, .ifNoneMatch, .idempotencyKey, .forwardedFor, .forwarded,
            .authorization, .origin:
            if isRepeated && known.isSingle { throw .headerRepeated }
        }
    }

    /// Whether a list of codings has none but `identity`, which means no coding. Empty members do not count (RFC 9110,
    /// section 5.6.1.2); only a bounded number is read.
    private static func isIdentity(_ value: ByteView) -> Bool {
        var start = 0
        var count = 0
        while start <= value.count {
            count += 1
            guard count <= HTTPLimits.codingsMax else { return false }
            let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.count
            let coding = value.part(start, end).trimmed()
            guard coding.isEmpty || coding.isEqualIgnoringCase("identity") else { return false }
            start = end + 1
        }
        return true
    }

    /// A list of options; unknown ones are ignored (RFC 9110, section 7.6.1). After an absurdly long list the
    /// connection is closed, whatever else it says.
    private mutating func parseConnection(_ value: ByteView) {
        var start = 0
        var count = 0
        while start <= value.count {
            count += 1
            guard count <= HTTPLimits.connectionOptionsMax else { return self.saysClose = true }
            let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.count
            let option = value.part(start, end).trimmed()
            if option.isEqualIgnoringCase("close") { self.saysClose = true }
            if option.isEqualIgnoringCase("keep-alive") { self.saysKeepAlive = true }
            start = end + 1
        }
    }

    /// Digits only (RFC 9110, section 8.6); a list of equal numbers, which that section allows, is refused too. A
    /// number above 2^62 counts as 2^62: too large.
    private static func length(_ value: ByteView) throws(HTTPRefusal) -> Int {
        guard !value.isEmpty else { throw .contentLengthInvalid }
        var length = 0
        for at in 0..<value.count {
            let digit = value.byte(at) &- 0x30
            guard digit <= 9 else { throw .contentLengthInvalid }
            length = length > 1 << 58 ? 1 << 62 : length * 10 + Int(digit)
        }
        return length
    }

    /// Only `chunked` is known. If another coding comes last, or `chunked` twice, the body's end is unknown: 400, by
    /// RFC 9112, section 6.3. If only its content is unknown: 501, by section 6.1.
    private static func checkCoding(_ value: ByteView) throws(HTTPRefusal) {
        if value.isEqualIgnoringCase("chunked") { return }
        var start = 0
        var count = 0
        var chunkedCount = 0
        var endsChunked = false
        while start <= value.count {
            count += 1
            guard count <= HTTPLimits.codingsMax else { throw .transferEncodingInvalid }
            let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.count
            endsChunked = value.part(start, end).trimmed().isEqualIgnoringCase("chunked")
            if endsChunked { chunkedCount += 1 }
            start = end + 1
        }
        throw endsChunked && chunkedCount == 1 ? .transferCodingUnknown : .transferEncodingInvalid
    }

    // MARK: End of the head

    /// The checks that need every field.
    private mutating func endHead() throws(HTTPRefusal) {
        self.bodyStart = self.position
        if self.index[Int(HTTPHeaders.Known.host.rawValue)] == 0 && !self.isOldVersion { throw .hostMissing }
        if self.isChunked && self.contentLength != nil { throw .lengthAmbiguous }
        if self.isChunked {
            self.stage = .chunkLine
        } else if let length = self.contentLength, length > 0 {
            guard length <= self.limits.bodyBytesMax else { throw .bodyTooLarge }
            self.stage = .body
        } else {
            self.stage = .delivered
        }
    }
}

/// `Host` and the authority of a target: `uri-host [ ":" port ]` (RFC 9110, section 7.2), without forms that no real
/// host has: percent-escapes, sub-delimiters, an empty name, user information, a port above 65,535.
enum HTTPHost {
    static func isValid(_ host: ByteView, needsPort: Bool = false, _ table: UnsafePointer<UInt8>) -> Bool {
        guard !host.isEmpty else { return false }
        var end: Int
        if host.byte(0) == UInt8(ascii: "[") {
            guard let close = host.firstIndex(of: UInt8(ascii: "]")), self.isIPv6(host.part(1, close), table) else {
                return false
            }
            end = close + 1
        } else {
            end = host.skip(.host, from: 0, to: host.count, table)
            guard end > 0 else { return false }
        }
        guard end < host.count else { return !needsPort }
        guard host.byte(end) == UInt8(ascii: ":") else { return false }
        let port = host.part(end + 1, host.count)
        guard !port.isEmpty else { return !needsPort }
        guard port.count <= 5 else { return false }
        var number = 0
        for at in 0..<port.count {
            guard table[Int(port.byte(at))] & ByteClass.digit.rawValue != 0 else { return false }
            number = number * 10 + Int(port.byte(at) &- 0x30)
        }
        return number <= 65_535
    }

    /// The characters of an IPv6 address, at most as many as the longest has, and at least two colons. A full check is
    /// not needed: Usher never connects to it.
    private static func isIPv6(_ address: ByteView, _ table: UnsafePointer<UInt8>) -> Bool {
        var colonCount = 0
        for at in 0..<address.count {
            let byte = address.byte(at)
            if byte == UInt8(ascii: ":") {
                colonCount += 1
            } else if byte != UInt8(ascii: "."), table[Int(byte)] & ByteClass.hexDigit.rawValue == 0 {
                return false
            }
        }
        return (2...7).contains(colonCount) && address.count <= 45
    }
}
