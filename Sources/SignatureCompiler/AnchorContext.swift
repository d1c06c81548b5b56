import CModuleABI

/// The eight bytes around a short anchor, as far as the pattern says what they are.
///
/// Two or three bytes alone are somewhere in most objects, but what lies beside them at fixed distances (masked bytes,
/// alternatives, the next literal) tells most of these places apart before the pattern is read.
struct AnchorContext {
    /// Little-endian: `bytes & mask == value`.
    private(set) var value: UInt64 = 0
    private(set) var mask: UInt64 = 0
    /// So many of them lie before the anchor.
    private(set) var before = 0

    private static let size = 8
    /// Bytes before the anchor that are looked at, so that two of the eight are the anchor's.
    private static let most = 6

    /// - Parameters:
    ///   - known: what is known of the bytes from `most` before the anchor on, with their masks.
    ///   - folds: whether the objects' capitals count as small letters.
    private init(_ known: [(value: UInt8, mask: UInt8)], folds: Bool) {
        let bytes = known.map { folds ? Self.folded($0) : $0 }
        var best = -1
        for start in 0...Self.most {
            // The anchor's own bytes are always among them.
            let bits = bytes[start..<(start + Self.size)].reduce(0) { $0 + $1.mask.nonzeroBitCount }
            guard bits > best else { continue }
            best = bits
            before = Self.most - start
        }
        for i in 0..<Self.size {
            let byte = bytes[Self.most - before + i]
            value |= UInt64(byte.value & byte.mask) << UInt64(8 * i)
            mask |= UInt64(byte.mask) << UInt64(8 * i)
        }
    }

    /// Whether a letter is a capital is unknown of a byte of which not all bits are.
    private static func folded(_ byte: (value: UInt8, mask: UInt8)) -> (value: UInt8, mask: UInt8) {
        byte.mask == 0xff ? (Rarity.folded(byte.value), 0xff) : (byte.value & ~0x20, byte.mask & ~0x20)
    }

    /// - Parameter pattern: its anchor is chosen.
    init(of pattern: em_pattern, in table: PatternTable, folds: Bool) {
        var known = [(value: UInt8, mask: UInt8)](repeating: (0, 0), count: Self.most + Self.size)
        let anchor = Int(pattern.anchor)
        let skip = Int(pattern.anchor_skip)
        var distance = Self.most - skip
        var number = anchor
        while number < Int(pattern.element_count), distance < known.count {
            let element = table.elements[Int(pattern.first_element) + number]
            guard let length = Self.length(of: element) else { break }
            table.fill(&known, from: distance, element)
            distance += length
            number += 1
        }
        distance = Self.most - skip
        number = anchor
        while number > 0, distance > 0 {
            number -= 1
            let element = table.elements[Int(pattern.first_element) + number]
            guard let length = Self.length(of: element) else { break }
            distance -= length
            table.fill(&known, from: distance, element)
        }
        self.init(known, folds: folds)
    }

    /// Bytes of an element; nil when they vary.
    private static func length(of element: em_element) -> Int? {
        switch UInt32(element.kind) {
        case EM_ELEMENT_LITERAL, EM_ELEMENT_MASKED: Int(element.b)
        case EM_ELEMENT_GAP: element.a == element.b ? Int(element.a) : nil
        case EM_ELEMENT_ALTERNATIVES: element.length > 0 ? Int(element.length) : nil
        case EM_ELEMENT_NONWORD_BYTE: 1
        default: 0
        }
    }
}

extension PatternTable {
    /// Notes what an element that begins at a place says about the bytes there; places may lie outside.
    fileprivate func fill(_ known: inout [(value: UInt8, mask: UInt8)], from start: Int, _ element: em_element) {
        func note(_ at: Int, _ value: UInt8, _ mask: UInt8) {
            if known.indices.contains(start + at) { known[start + at] = (value & mask, mask) }
        }
        // Of a long element only what lies inside is looked at.
        let first = max(0, -start)
        let length = Int(UInt32(element.kind) == EM_ELEMENT_ALTERNATIVES ? UInt32(element.length) : element.b)
        let end = min(length, known.count - start)
        guard first < end else { return }
        switch UInt32(element.kind) {
        case EM_ELEMENT_LITERAL: for i in first..<end { note(i, bytes[Int(element.a) + i], 0xff) }
        case EM_ELEMENT_MASKED:
            for i in first..<end { note(i, bytes[Int(element.a) + i], bytes[Int(element.a) + length + i]) }
        case EM_ELEMENT_ALTERNATIVES:
            guard element.flags & UInt8(EM_ELEMENT_NOT) == 0, element.b > 0 else { return }
            // The bits that all of them have.
            for i in first..<end {
                var (value, mask): (UInt8, UInt8) = (0, 0xff)
                for number in 0..<Int(element.b) {
                    let choice = alternatives[Int(element.a) + number]
                    let byte = bytes[Int(choice.bytes) + i]
                    mask &= choice.masked != 0 ? bytes[Int(choice.bytes) + length + i] : 0xff
                    if number == 0 { value = byte }
                    mask &= ~(value ^ byte)
                }
                note(i, value, mask)
            }
        default: break
        }
    }
}
