import BytesE
import CModuleABI
import CSearch
import DatabaseSections

/// Whether single elements match at a place.
extension Verifier {
    mutating func literal(_ element: em_element, at position: Int, _ job: Job) -> Bool {
        let length = Int(element.b)
        guard let wanted = data(element.a, length), length <= object.count - position, let have = object.base else {
            return false
        }
        let there = have + position
        guard let want = wanted.base else { return true }
        var i = 0
        if job.fold {
            while i < length, asciiLowercased(there[i]) == asciiLowercased(want[i]) { i += 1 }
        } else {
            while i < length, there[i] == want[i] { i += 1 }
        }
        return spend(i >> 3) && i == length
    }

    mutating func masked(_ element: em_element, at position: Int, _ job: Job) -> Bool {
        maskedBytes(element.a, Int(element.b), at: position, job)
    }

    mutating func maskedBytes(_ offset: UInt32, _ length: Int, at position: Int, _ job: Job) -> Bool {
        guard let wanted = data(offset, 2 * length), length <= object.count - position else { return false }
        for i in 0..<length {
            let byte = object[position + i]
            let (value, mask) = (wanted[i], wanted[length + i])
            if byte & mask == value { continue }
            guard job.fold, mask == 0xff, asciiLowercased(byte) == asciiLowercased(value) else {
                return spend(i >> 2) && false
            }
        }
        return spend(length >> 2)
    }

    /// Bytes of the database; a pattern that points outside ends everything.
    mutating func data(_ offset: UInt32, _ length: Int) -> ByteView? {
        guard length <= set.bytes.count, Int(offset) <= set.bytes.count - length else {
            stop(.failed)
            return nil
        }
        return set.bytes.slice(Int(offset), Int(offset) + length)
    }

    /// The first place in `from..<below` where a literal lies.
    mutating func find(_ element: em_element, from: Int, below: Int, _ job: Job) -> Int? {
        let length = Int(element.b)
        let end = min(below - 1, object.count - length) + 1
        guard length > 0, from >= 0, from < end, let wanted = data(element.a, length), let have = object.base else {
            return nil
        }
        let probe = Probe(wanted, fold: job.fold)
        let bytes = have + probe.place
        var position = from
        while position < end {
            let limit = min(end, position + Self.run)
            let hit = CSearch_pair(bytes, position, limit, probe.distance, probe.first, probe.second)
            guard spend((hit - position) >> 3 + 1) else { return nil }
            position = hit
            guard position < limit else { continue }
            if literal(element, at: position, job) { return position }
            guard goOn else { return nil }
            position += 1
        }
        return nil
    }

    /// Bytes searched at once: work is counted and the budget asked now and then only.
    private static var run: Int { 4096 }

    /// The two bytes of a literal that are looked for together: those that are rarest, roughly.
    private struct Probe {
        /// Where the first one lies in the literal.
        var place = 0
        /// From the first one to the second one; 0 when the literal has one byte.
        var distance = 0
        var first = CSearch_byte()
        var second = CSearch_byte()

        /// Bytes of a literal that are looked at: enough to find rare ones.
        private static let candidates = 32

        /// - Parameter literal: not empty.
        init(_ literal: ByteView, fold: Bool) {
            var (best, next) = (0, 0)
            for i in 1..<max(1, min(literal.count, Self.candidates)) {
                if Self.rarity(literal[i]) > Self.rarity(literal[best]) {
                    next = best
                    best = i
                } else if next == best || Self.rarity(literal[i]) > Self.rarity(literal[next]) {
                    next = i
                }
            }
            place = min(best, next)
            distance = max(best, next) - place
            first = Self.byte(literal[place], fold: fold)
            second = Self.byte(literal[place + distance], fold: fold)
        }

        private static func byte(_ byte: UInt8, fold: Bool) -> CSearch_byte {
            let small = asciiLowercased(byte)
            guard fold, small &- 0x61 < 26 else { return CSearch_byte(value: byte, mask: 0) }
            return CSearch_byte(value: small, mask: 0x20)
        }

        /// The more, the rarer a byte is in mail, HTML and programs.
        private static func rarity(_ byte: UInt8) -> Int {
            switch asciiLowercased(byte) {
            case 0x00: 0
            case 0x20, 0xff: 1
            case UInt8(ascii: "e"), UInt8(ascii: "t"), UInt8(ascii: "a"), UInt8(ascii: "o"), UInt8(ascii: "i"),
                UInt8(ascii: "n"), UInt8(ascii: "s"), UInt8(ascii: "r"):
                2
            case 0x01, 0x0a, 0x0d, 0x24, 0x48, 0x8b: 2
            case UInt8(ascii: "j"), UInt8(ascii: "q"), UInt8(ascii: "x"), UInt8(ascii: "z"): 5
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): 3
            default: 4
            }
        }
    }

    /// The last place of a literal up to `from` and above `above`.
    mutating func findLast(_ element: em_element, from: Int, above: Int, _ job: Job) -> Int? {
        let length = Int(element.b)
        let start = max(0, above + 1)
        var end = min(from, object.count - length) + 1
        guard length > 0, start < end, let wanted = data(element.a, length), let have = object.base else { return nil }
        let probe = Probe(wanted, fold: job.fold)
        let bytes = have + probe.place
        while start < end {
            let limit = max(start, end - Self.run)
            let hit = CSearch_last_pair(bytes, limit, end, probe.distance, probe.first, probe.second)
            guard spend((end - (hit < end ? hit : limit)) >> 3 + 1) else { return nil }
            guard hit < end else {
                end = limit
                continue
            }
            if literal(element, at: hit, job) { return hit }
            guard goOn else { return nil }
            end = hit
        }
        return nil
    }

    // MARK: - Alternatives

    mutating func alternative(_ element: em_element, _ index: Int) -> em_alternative? {
        guard let found = set.alternatives.element(Int(element.a) + index, as: em_alternative.self) else {
            stop(.failed)
            return nil
        }
        return found
    }

    /// The length of all alternatives, nil when they differ.
    func commonLength(_ element: em_element) -> Int? { element.length == 0 ? nil : Int(element.length) }

    mutating func matchesOneLength(_ element: em_element, at position: Int, length: Int, _ job: Job) -> Bool {
        guard position + length <= object.count else { return false }
        var found = false
        var i = 0
        while i < Int(element.b), !found {
            guard spend(1), let choice = alternative(element, i) else { return false }
            found = matches(choice, at: position, job)
            i += 1
        }
        return goOn && found != (element.flags & UInt8(EM_ELEMENT_NOT) != 0)
    }

    mutating func matches(_ choice: em_alternative, at position: Int, _ job: Job) -> Bool {
        if choice.masked != 0 { return maskedBytes(choice.bytes, Int(choice.length), at: position, job) }
        var element = em_element()
        element.a = choice.bytes
        element.b = choice.length
        return literal(element, at: position, job)
    }

    /// Tries alternatives of different lengths, and what comes after (`ahead`) or before them.
    mutating func alternatives(
        _ number: Int, _ position: Int, _ element: em_element, _ job: Job, _ depth: Int, ahead: Bool
    ) -> Bool {
        guard goOn, !scratch.hasFailed(UInt32(truncatingIfNeeded: number), position) else { return false }
        guard depth < Self.depthLimit else {
            stop(.limit)
            return false
        }
        var i = 0
        while i < Int(element.b) {
            guard spend(1), let choice = alternative(element, i) else { return false }
            i += 1
            let length = Int(choice.length)
            let start = ahead ? position : position - length
            guard start >= 0, matches(choice, at: start, job) else {
                guard goOn else { return false }
                continue
            }
            let done =
                ahead
                ? forward(number + 1, position + length, job, depth + 1) : backward(number, start, job, depth + 1)
            if done { return true }
            guard goOn else { return false }
        }
        scratch.setFailed(UInt32(truncatingIfNeeded: number), position)
        return false
    }

    // MARK: - Assertions

    /// The bytes that an assertion takes, or nil when it does not hold.
    mutating func assertion(_ element: em_element, at position: Int, ahead: Bool) -> Int? {
        let negated = element.flags & UInt8(EM_ELEMENT_NOT) != 0
        if element.kind == UInt8(EM_ELEMENT_NONWORD_BYTE) {
            let at = ahead ? position : position - 1
            guard at >= 0, at < object.count, isWord(object[at]) == negated else { return nil }
            return 1
        }
        let looksBack = element.flags & UInt8(EM_ELEMENT_BEFORE) != 0
        let holds: Bool
        if looksBack ? position <= 0 : position >= object.count {
            holds = true
        } else {
            let beside = object[looksBack ? position - 1 : position]
            switch UInt32(element.kind) {
            case EM_ELEMENT_BOUNDARY: holds = isBoundary(beside, before: looksBack)
            case EM_ELEMENT_LINE:
                holds =
                    beside == 0x0a
                    || !looksBack && beside == 0x0d && position + 1 < object.count && object[position + 1] == 0x0a
            case EM_ELEMENT_NONWORD:
                holds =
                    element.flags & UInt8(EM_ELEMENT_WIDE) != 0
                    ? !isWideWord(at: position, looksBack: looksBack) : !isWord(beside)
            default:
                stop(.failed)
                return nil
            }
        }
        return holds != negated ? 0 : nil
    }

    /// Whether a letter or digit with a zero byte behind it lies before or after a place inside the object.
    private func isWideWord(at position: Int, looksBack: Bool) -> Bool {
        if looksBack { return position >= 2 && isWord(object[position - 2]) && object[position - 1] == 0 }
        guard position + 1 < object.count else { return isWord(object[position]) }
        return isWord(object[position]) && object[position + 1] == 0
    }
}

/// The bytes that end or begin a word for ClamAV: some only where it begins (`before` it), some only where it ends.
private func isBoundary(_ byte: UInt8, before: Bool) -> Bool {
    switch byte {
    case 0x20, 0x2d, 0x2f, 0x5f: true  // space - / _
    case 0x2e, 0x3c, 0x40: before  // . < @
    case 0x0a, 0x0d, 0x22, 0x27, 0x3d, 0x3e: !before  // line ends " ' = >
    default: false
    }
}

/// Letters and digits of ASCII.
private func isWord(_ byte: UInt8) -> Bool { asciiLowercased(byte) &- 0x61 < 26 || byte &- 0x30 < 10 }

private func asciiUppercased(_ byte: UInt8) -> UInt8 { byte &- 0x61 < 26 ? byte & ~0x20 : byte }
