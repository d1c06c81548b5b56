#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// Walks over the parts of a message, one at a time, in linear time and with memory that depends only on the
/// nesting. All ranges are offsets into the message's bytes; nothing is decoded or copied but short header values.
///
/// A message/rfc822 part is a leaf: whoever wants to look inside walks over its (decoded) body anew.
package struct MIMEWalker {
    package let message: ByteView
    private let reading: MIMEReading
    private let deepest: Int
    private let bareCREndsLine: Bool

    /// The multiparts that are open, outermost first.
    private var frames: [Frame] = []
    private var state: State
    /// Frames to leave before the state goes on; a multipartEnd is due for each.
    private var leaving = 0
    /// Where the last part ended: the end of the multiparts that are left.
    private var lastEnd = 0

    /// What is wrong with what was walked over so far.
    package private(set) var defects: MIMEDefects = []
    /// Where other readings are plausible, in what was walked over so far.
    package private(set) var ambiguities = MIMEAmbiguities()
    /// Whether `check` ended the walk: what `next` returned is not all.
    package private(set) var isCancelled = false

    private enum State {
        /// A header begins there.
        case header(Int)
        /// Text that belongs to no part begins there, up to the next delimiter.
        case gap(Int)
        case done
    }

    private struct Frame {
        var part: MIMEPart
        var isClosed = false
        var isDigest: Bool
    }

    /// A boundary line.
    private struct Delimiter {
        let frame: Int
        let isClose: Bool
        let lineStart: Int
        let next: Int
    }

    /// Multiparts nested deeper than this are not walked by default (`MIMEDefects.tooDeep`).
    package static let defaultDepth = 100

    /// - Parameters:
    ///   - message: the bytes; they must outlive the walker.
    ///   - reading: see `MIMEReading`.
    ///   - depth: how many levels of multiparts are walked; a deeper one is given as a leaf.
    package init(_ message: ByteView, reading: MIMEReading = MIMEReading(), depth: Int = MIMEWalker.defaultDepth) {
        self.message = message
        self.reading = reading
        self.deepest = depth
        let start = MIMEMessage.start(of: message)
        self.bareCREndsLine = MIMEMessage.usesBareCR(message, from: start) != reading.flipsBareCR
        self.state = .header(start)
        guard MIMEMessage.isHeadless(message) else { return }
        // A body that lost its header: a multipart whose boundary is the first line.
        let part = MIMEPart(
            kind: .multipart, depth: 0, header: 0..<0, body: 0..<message.count,
            mediaType: ByteView("multipart/mixed").array, encoding: .identity, charset: [], names: [],
            disposition: [], boundary: [], partCount: 0)
        frames.append(Frame(part: part, isDigest: false))
        defects.insert(.missingBoundary)
        state = .gap(0)
    }

    /// The next part; nil at the end, or when `check` (asked about every 64 KiB) says no.
    package mutating func next(check: () -> Bool = { true }) -> MIMEPart? {
        while !isCancelled {
            if leaving > 0 { return leave() }
            switch state {
            case .header(let start):
                return header(start, check)
            case .gap(let start):
                if let part = gap(start, check) { return part }
            case .done:
                return nil
            }
        }
        return nil
    }

    // MARK: Steps

    private mutating func leave() -> MIMEPart? {
        leaving -= 1
        guard let frame = frames.popLast() else { return nil }
        if !frame.isClosed { defects.insert(.missingFinalBoundary) }
        var part = frame.part
        part.kind = .multipartEnd
        part.body = part.body.lowerBound..<max(part.body.lowerBound, lastEnd)
        return part
    }

    private mutating func header(_ start: Int, _ check: () -> Bool) -> MIMEPart? {
        var cursor = HeaderCursor(
            message, from: start, to: message.count, reading: reading, bareCREndsLine: bareCREndsLine,
            pausesAtDashes: !frames.isEmpty)
        var found = PartHeader()
        var delimiter: Delimiter?
        while true {
            if let field = cursor.next(check: check) {
                found.note(field, in: message, &defects)
            } else if let dashes = cursor.pausedAt {
                delimiter = self.delimiter(at: dashes)
                guard delimiter == nil else {
                    defects.insert(.missingBlankLine)
                    cursor.endBeforeDelimiter()
                    break
                }
                cursor.pass()
            } else {
                break
            }
        }
        defects.formUnion(cursor.defects)
        ambiguities.add(cursor.ambiguities)
        guard !cursor.isCancelled, let bodyStart = cursor.bodyStart else {
            isCancelled = true
            return nil
        }
        var part = found.part(
            in: message, reading: reading, isDigest: frames.last?.isDigest ?? false, &defects, &ambiguities)
        part.depth = frames.count
        part.header = start..<max(start, cursor.headerEnd)
        if !frames.isEmpty { frames[frames.count - 1].part.partCount += 1 }
        if part.kind == .multipart, delimiter == nil {
            if frames.count < deepest {
                part.body = bodyStart..<message.count
                frames.append(Frame(part: part, isDigest: part.isType("multipart/digest")))
                state = .gap(bodyStart)
                return part
            }
            defects.insert(.tooDeep)
        }
        part.kind = .leaf
        guard let end = body(from: bodyStart, delimiter, check) else { return nil }
        part.body = bodyStart..<end
        return part
    }

    private mutating func gap(_ start: Int, _ check: () -> Bool) -> MIMEPart? {
        guard let inside = frames.last, let end = body(from: start, nil, check) else {
            if !isCancelled { state = .done }
            return nil
        }
        var index = start
        while index < end, isASCIISpace(message[index]) || message[index] == 0 { index += 1 }
        guard index < end else { return nil }
        var part = inside.part
        part.kind = inside.isClosed ? .epilogue : .preamble
        part.depth += 1
        part.header = start..<start
        part.body = start..<end
        part.mediaType = ByteView("text/plain").array
        part.encoding = .identity
        part.names = []
        part.boundary = []
        part.disposition = []
        return part
    }

    /// Goes to the next delimiter: the state is set, and the end of what stands before it returned; nil when cancelled.
    private mutating func body(from start: Int, _ known: Delimiter?, _ check: () -> Bool) -> Int? {
        var found = known
        if found == nil, !frames.isEmpty {
            found = nextDelimiter(from: start, check)
            if isCancelled { return nil }
        }
        guard let found else {
            lastEnd = message.count
            leaving = frames.count
            state = .done
            return message.count
        }
        leaving = frames.count - 1 - found.frame
        let end = max(start, beforeLineEnd(found.lineStart))
        lastEnd = end
        if found.isClose {
            frames[found.frame].isClosed = true
            lastEnd = found.next
            // The inner ones end before this delimiter.
            if leaving > 0 { lastEnd = end }
            state = .gap(found.next)
        } else {
            state = .header(found.next)
        }
        return end
    }

    /// The line end before a delimiter belongs to it (RFC 2046 §5.1.1).
    private func beforeLineEnd(_ lineStart: Int) -> Int {
        var end = lineStart
        if end > 0, message[end - 1] == 0x0A { end -= 1 }
        if end > 0, message[end - 1] == 0x0D { end -= 1 }
        return end
    }

    // MARK: Delimiters

    /// The first delimiter line at or after a line's start. Sets `isCancelled` when `check` says no.
    private mutating func nextDelimiter(from start: Int, _ check: () -> Bool) -> Delimiter? {
        let end = message.count
        var index = start
        while index < end {
            let stop = min(end, index + 65536)
            let piece = message.prefix(stop + 1)
            while let hit = piece.firstIndex(of: ByteView("--"), from: index) {
                if isLineStart(hit, from: start), let found = delimiter(at: hit) { return found }
                index = hit + 1
            }
            index = stop
            if index < end, !check() {
                isCancelled = true
                return nil
            }
        }
        return nil
    }

    private mutating func isLineStart(_ index: Int, from start: Int) -> Bool {
        if index == start { return true }
        let before = message[index - 1]
        if before == 0x0A { return true }
        if before != 0x0D { return false }
        if bareCREndsLine { return true }
        // Another reading sees a line here.
        if !ambiguities.bareCR { ambiguities.bareCR = matchesAnyFrame(at: index) }
        return false
    }

    private func matchesAnyFrame(at index: Int) -> Bool {
        frames.contains { match($0.part.boundary, at: index, isEmpty: $0.part.hasEmptyBoundary) != .none }
    }

    private enum Match {
        case none, open, close, prefix, prefixClose
    }

    /// Compares the line that begins at `index` with "--" and a boundary.
    private func match(_ boundary: [UInt8], at index: Int, isEmpty: Bool) -> Match {
        guard let base = message.buffer.baseAddress, !boundary.isEmpty || isEmpty else { return .none }
        let after = index + 2 + boundary.count
        guard after <= message.count else { return .none }
        for offset in 0..<boundary.count where base[index + 2 + offset] != boundary[offset] { return .none }
        if isBlankToLineEnd(after) { return .open }
        let isClose = after + 1 < message.count && base[after] == 0x2D && base[after + 1] == 0x2D
        if isClose, isBlankToLineEnd(after + 2) { return .close }
        return isClose ? .prefixClose : .prefix
    }

    /// Whether only transport padding (RFC 2046 §5.1.1) and NULs stand up to the line's end.
    private func isBlankToLineEnd(_ from: Int) -> Bool {
        var index = from
        // More padding than this is no delimiter: it would be looked at again for each open multipart.
        let stop = min(message.count, from + 4096)
        while index < stop {
            switch message[index] {
            case 0x0A, 0x0D: return true
            case 0x20, 0x09, 0x00, 0x0B, 0x0C: index += 1
            default: return false
            }
        }
        return index == message.count
    }

    /// The delimiter that the line at `index`, which begins with "--", is; nil when it is none. An inner multipart
    /// goes before an outer one with the same boundary.
    private mutating func delimiter(at index: Int) -> Delimiter? {
        var prefix: (frame: Int, isClose: Bool)?
        var frame = frames.count - 1
        while frame >= 0 {
            switch match(frames[frame].part.boundary, at: index, isEmpty: frames[frame].part.hasEmptyBoundary) {
            case .open: return delimiter(frame, false, index)
            case .close: return delimiter(frame, true, index)
            case .prefix: if prefix == nil { prefix = (frame, false) }
            case .prefixClose: if prefix == nil { prefix = (frame, true) }
            case .none: break
            }
            frame -= 1
        }
        if let prefix {
            ambiguities.prefixBoundary = true
            if reading.prefixBoundaries { return delimiter(prefix.frame, prefix.isClose, index) }
        }
        if !ambiguities.hiddenByNUL { ambiguities.hiddenByNUL = isHiddenByNUL(at: index) }
        return guess(at: index)
    }

    /// Whether the line that begins with "--" at `index` would be a delimiter without the NULs in it.
    private func isHiddenByNUL(at index: Int) -> Bool {
        var sawNUL = false
        let stop = min(message.count, index + 2 * PartHeader.longestBoundary)
        var position = index + 2
        while position < stop, message[position] != 0x0A, message[position] != 0x0D {
            if message[position] == 0 { sawNUL = true }
            position += 1
        }
        guard sawNUL else { return false }
        let line = message.slice(index + 2, position).array.filter { $0 != 0 }
        return frames.contains { !$0.part.boundary.isEmpty && line.starts(with: $0.part.boundary) }
    }

    private func delimiter(_ frame: Int, _ isClose: Bool, _ lineStart: Int) -> Delimiter {
        Delimiter(frame: frame, isClose: isClose, lineStart: lineStart, next: lineAfter(lineStart))
    }

    /// Where the line after a delimiter begins; what stands on the same line is not part of it.
    private func lineAfter(_ lineStart: Int) -> Int {
        let scanner = LineScanner(bytes: message, end: message.count, bareCREndsLine: bareCREndsLine)
        return scanner.line(from: lineStart, check: { true })?.next ?? message.count
    }

    /// Takes the line for the boundary of the innermost multipart when that names none, and headers follow.
    private mutating func guess(at index: Int) -> Delimiter? {
        guard let last = frames.indices.last, frames[last].part.boundary.isEmpty, !frames[last].part.hasEmptyBoundary
        else { return nil }
        let short = LineScanner(
            bytes: message, end: min(message.count, index + 2 + PartHeader.longestBoundary),
            bareCREndsLine: bareCREndsLine)
        guard let line = short.line(from: index, check: { true }), line.next < short.end else { return nil }
        var contentEnd = line.contentEnd
        while contentEnd > index + 2, message[contentEnd - 1] <= 0x20 { contentEnd -= 1 }
        let scanner = LineScanner(bytes: message, end: message.count, bareCREndsLine: bareCREndsLine)
        guard contentEnd > index + 2, scanner.beginsHeaderOrBlank(at: line.next) else { return nil }
        frames[last].part.boundary = message.slice(index + 2, contentEnd).array
        return Delimiter(frame: last, isClose: false, lineStart: index, next: line.next)
    }
}
