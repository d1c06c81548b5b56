#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// One header field, as ranges of the bytes it was found in.
package struct HeaderField: Sendable {
    package let name: Range<Int>
    /// From after the colon to before the last line end; folding included.
    package let value: Range<Int>
    /// The whole field with its line ends.
    package let range: Range<Int>

    /// Whether it has this name, ignoring case.
    package func isNamed(_ literal: StaticString, in bytes: ByteView) -> Bool {
        name.count == literal.utf8CodeUnitCount
            && bytes.slice(name.lowerBound, name.upperBound).equalsIgnoringCase(ByteView(literal))
    }

    /// The value without white space at its ends.
    package func value(in bytes: ByteView) -> ByteView {
        bytes.slice(value.lowerBound, value.upperBound).trimmed
    }
}

/// Walks over the fields of a header block (RFC 5322 §2.2) in constant memory and linear time, whatever the bytes are.
package struct HeaderCursor {
    package let bytes: ByteView
    private let scanner: LineScanner
    private let reading: MIMEReading
    private var position: Int
    private var unchecked = 0
    private var endsAt: Int?
    /// Whether lines that begin with "--" are given to the owner to look at first.
    private let pausesAtDashes: Bool
    private var passDashes = false

    /// Where the line begins that may be a delimiter: set when `next` returned nil because of it.
    private(set) var pausedAt: Int?
    /// Where the body begins; nil until `next` has returned nil at the header's end.
    package private(set) var bodyStart: Int?
    /// Where the header ends, the empty line not included; valid with `bodyStart`.
    package private(set) var headerEnd: Int
    /// Whether `check` ended the walk.
    package private(set) var isCancelled = false
    package private(set) var defects: MIMEDefects = []
    package private(set) var ambiguities = MIMEAmbiguities()

    /// The header of a message, after what may stand before it (`MIMEMessage.start`).
    package init(message bytes: ByteView, reading: MIMEReading = MIMEReading()) {
        let start = MIMEMessage.start(of: bytes)
        self.init(
            bytes, from: start, to: bytes.count, reading: reading,
            bareCREndsLine: MIMEMessage.usesBareCR(bytes, from: start) != reading.flipsBareCR, pausesAtDashes: false)
    }

    init(_ bytes: ByteView, from: Int, to: Int, reading: MIMEReading, bareCREndsLine: Bool, pausesAtDashes: Bool) {
        self.bytes = bytes
        self.scanner = LineScanner(bytes: bytes, end: to, bareCREndsLine: bareCREndsLine)
        self.reading = reading
        self.position = from
        self.headerEnd = from
        self.pausesAtDashes = pausesAtDashes
    }

    /// The next field; nil at the header's end, or when `check` (asked about every 64 KiB) says no.
    package mutating func next(check: () -> Bool = { true }) -> HeaderField? {
        guard bodyStart == nil, !isCancelled else { return nil }
        pausedAt = nil
        if let endsAt { return finish(header: position, body: endsAt) }
        while position < scanner.end {
            let start = position
            if pausesAtDashes, !passDashes, bytes[start] == 0x2D, start + 1 < scanner.end, bytes[start + 1] == 0x2D {
                pausedAt = start
                return nil
            }
            passDashes = false
            guard let line = measured(start, check) else { return nil }
            if line.contentEnd == start { return finish(header: start, body: line.next) }
            if let field = scanner.fieldName(at: start) {
                return self.field(start, field.nameEnd, field.valueStart, line, check)
            }
            defects.insert(.junkInHeader)
            ambiguities.junkInHeader = true
            if scanner.hidesName(at: start, to: line.contentEnd) { ambiguities.hiddenByNUL = true }
            if reading.junkEndsHeader || !reading.passesOverJunk && !scanner.beginsHeaderOrBlank(at: line.next) {
                defects.insert(.missingBlankLine)
                return finish(header: start, body: start)
            }
            position = line.next
        }
        return finish(header: scanner.end, body: scanner.end)
    }

    /// Goes on over a line at which `next` paused: it is no delimiter.
    mutating func pass() {
        passDashes = true
        pausedAt = nil
    }

    /// Ends the header before a line at which `next` paused: it is a delimiter.
    mutating func endBeforeDelimiter() {
        _ = finish(header: position, body: position)
    }

    private mutating func finish(header: Int, body: Int) -> HeaderField? {
        headerEnd = header
        bodyStart = body
        return nil
    }

    private mutating func measured(_ start: Int, _ check: () -> Bool) -> LineScanner.Line? {
        guard let line = scanner.line(from: start, check: check) else {
            isCancelled = true
            return nil
        }
        if line.hasBareCR { ambiguities.bareCR = true }
        unchecked += line.next - start + 64
        if unchecked >= 65536 {
            unchecked = 0
            if !check() {
                isCancelled = true
                return nil
            }
        }
        return line
    }

    /// Reads the continuation lines of a field.
    private mutating func field(
        _ start: Int, _ nameEnd: Int, _ valueStart: Int, _ first: LineScanner.Line, _ check: () -> Bool
    ) -> HeaderField? {
        var contentEnd = first.contentEnd
        position = first.next
        while position < scanner.end, bytes[position] == 0x20 || bytes[position] == 0x09 {
            guard let line = measured(position, check) else { return nil }
            if isBlank(position, line.contentEnd) {
                // Some clients end the header at a line of spaces, others fold it in (RFC 5322 §4.2 obs-FWS).
                ambiguities.junkInHeader = true
                if reading.junkEndsHeader {
                    endsAt = line.next
                    break
                }
            }
            contentEnd = line.contentEnd
            position = line.next
        }
        let value = min(valueStart, contentEnd)
        return HeaderField(name: start..<nameEnd, value: value..<contentEnd, range: start..<position)
    }

    private func isBlank(_ from: Int, _ to: Int) -> Bool {
        var index = from
        while index < to {
            if bytes[index] != 0x20 && bytes[index] != 0x09 { return false }
            index += 1
        }
        return true
    }
}
