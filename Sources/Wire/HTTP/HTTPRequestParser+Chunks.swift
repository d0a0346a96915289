/// Chunked bodies (RFC 9112, section 7.1): `size [; extension] CRLF data CRLF ... 0 CRLF trailers CRLF`.
///
/// The data is copied out of its chunks into the parser's own buffer; frequent requests are not sent chunked.
extension HTTPRequestParser {
    /// Reads a size and skips its extensions, which every recipient has to ignore if unknown. A quoted value has to end
    /// on its line: some parsers read on to the closing quote, and find the chunk's data elsewhere.
    mutating func readChunkLine() throws(HTTPRefusal) -> Bool {
        let bytes = self.bytes
        let end = bytes.count
        var at = self.position
        var size = 0
        let room = self.limits.bodyBytesMax - self.body.count
        while at < end, let digit = ByteClass.hexValue(bytes.byte(at)) {
            guard at - self.position < HTTPLimits.chunkSizeDigitsMax else { throw .chunkSizeInvalid }
            // At most 1 GiB before and so below 2^35 after: it can't overflow.
            size = size << 4 | Int(digit)
            guard size <= room else { throw .bodyTooLarge }
            at += 1
        }
        guard at < end else { return false }
        guard at > self.position else { throw bytes.byte(at) == 0x0A ? .bareLineFeed : .chunkSizeInvalid }

        let extensionStart = at
        let extensionRoom = self.limits.chunkExtensionBytesMax - self.chunkExtensionBytes
        var hasSemicolon = false
        var isQuoted = false
        var isEscaped = false
        while true {
            guard at < end else { return false }
            let byte = bytes.byte(at)
            if byte == 0x0D { break }
            if byte == 0x0A { throw .bareLineFeed }
            guard at - extensionStart < extensionRoom else { throw .chunkExtensionTooLong }
            if byte == UInt8(ascii: ";") { hasSemicolon = true }
            // Only spaces may precede a semicolon (RFC 9112, section 7.1.1).
            guard hasSemicolon || byte == 0x20 || byte == 0x09 else { throw .chunkSizeInvalid }
            guard byte == 0x09 || (byte >= 0x20 && byte != 0x7F) else { throw .chunkSizeInvalid }
            if byte == UInt8(ascii: "\"") && !isEscaped { isQuoted.toggle() }
            isEscaped = isQuoted && byte == UInt8(ascii: "\\") && !isEscaped
            at += 1
        }
        guard (hasSemicolon && !isQuoted) || at == extensionStart else { throw .chunkSizeInvalid }
        guard at + 1 < end else { return false }
        guard bytes.byte(at + 1) == 0x0A else { throw .bareCarriageReturn }

        guard self.chunkCount < self.limits.chunkCountMax else { throw .chunksTooMany }
        self.chunkCount += 1
        self.chunkExtensionBytes += at - extensionStart
        self.position = at + 2
        self.chunkLeft = size
        if size == 0 {
            self.fieldsStart = self.position
            self.stage = .trailers
        } else {
            self.stage = .chunkData
        }
        return true
    }

    /// Copies out the available part of a chunk's data.
    mutating func readChunkData() -> Bool {
        let bytes = self.bytes
        let count = min(self.chunkLeft, bytes.count - self.position)
        self.body.append(bytes.part(self.position, self.position + count))
        self.position += count
        self.chunkLeft -= count
        guard self.chunkLeft == 0 else { return false }
        self.stage = .chunkEnd
        return true
    }

    mutating func readChunkEnd() throws(HTTPRefusal) -> Bool {
        let bytes = self.bytes
        guard self.position < bytes.count else { return false }
        switch bytes.byte(self.position) {
        case 0x0D: break
        case 0x0A: throw .bareLineFeed
        default: throw .chunkDataInvalid
        }
        guard self.position + 1 < bytes.count else { return false }
        guard bytes.byte(self.position + 1) == 0x0A else { throw .bareCarriageReturn }
        self.position += 2
        self.stage = .chunkLine
        return true
    }
}
