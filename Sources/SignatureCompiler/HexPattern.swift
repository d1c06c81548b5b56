import Bytes
import CModuleABI

/// The content of a body signature, parsed: hex digits, wildcards, gaps, alternatives, classes.
///
/// Cisco-Talos/clamav-documentation, BodySignatureFormat.
struct HexPattern: Equatable {
    /// A part of a pattern.
    enum Element: Equatable {
        /// Bytes that must be there.
        case literal([UInt8])
        /// Bytes of which some bits must be so.
        case masked(values: [UInt8], masks: [UInt8])
        /// Any bytes; a nil maximum is no maximum.
        case gap(least: UInt32, most: UInt32?)
        case alternatives([Alternative], negated: Bool)
        /// (B), (L), (W): kind is EM_ELEMENT_…, `before` says on which side of the place, `wide` that characters
        /// have two bytes.
        case assertion(kind: UInt32, negated: Bool, before: Bool, wide: Bool = false)
    }

    /// One of several strings; masks is empty when every bit counts.
    struct Alternative: Equatable {
        var values: [UInt8]
        var masks: [UInt8]
    }

    private(set) var elements: [Element] = []
    /// ASCII letters match in either case.
    private(set) var ignoresCase = false

    /// Elements of one signature: real ones stay far below.
    private static let elementLimit = 4096

    /// Bytes as they are.
    init(literal: [UInt8], ignoresCase: Bool) {
        elements = [.literal(literal)]
        self.ignoresCase = ignoresCase
        lowerCase()
    }

    /// Parses the text of a signature.
    init(_ text: ByteView) throws(LineError) {
        try self.init(text, wide: false, fullword: false, ignoresCase: false)
    }

    /// Parses the text of a subsignature under its modifiers.
    init(_ text: ByteView, wide: Bool, fullword: Bool, ignoresCase: Bool) throws(LineError) {
        guard !text.isEmpty else { throw .malformed("the signature is empty") }
        self.ignoresCase = ignoresCase
        let word = Element.assertion(kind: EM_ELEMENT_NONWORD, negated: false, before: false)
        if fullword { elements.append(word) }
        defer { lowerCase() }
        var parser = HexParser(text, isWide: wide)
        while let part = try parser.next() {
            try append(part)
            guard elements.count <= Self.elementLimit else { throw .unsupported("more than 4,096 parts") }
        }
        if fullword { elements.append(word) }
        try placeAssertions(wide: wide)
    }

    /// Letters are kept as small ones where case does not matter, so that indexes need not know.
    private mutating func lowerCase() {
        guard ignoresCase else { return }
        for i in elements.indices {
            if case .literal(let bytes) = elements[i] { elements[i] = .literal(bytes.map { asciiLowercased($0) }) }
        }
    }

    /// Adds a part, joined to the one before where they are of one kind.
    private mutating func append(_ part: Element) throws(LineError) {
        switch (elements.last, part) {
        case (.literal(let old), .literal(let new)):
            elements[elements.count - 1] = .literal(old + new)
        case (.gap(let least, let most), .gap(let moreLeast, let moreMost)):
            let sum = UInt64(least) + UInt64(moreLeast)
            let top = most.flatMap { old in moreMost.map { UInt64(old) + UInt64($0) } }
            guard sum < HexParser.gapLimit, (top ?? 0) < HexParser.gapLimit else {
                throw .unsupported("a gap of 2 GiB or more")
            }
            elements[elements.count - 1] = .gap(least: UInt32(sum), most: top.map { UInt32($0) })
        default:
            elements.append(part)
        }
    }

    /// A class at the beginning of a piece looks at the byte before it, one at the end at the byte after it, one between
    /// takes a character.
    private mutating func placeAssertions(wide: Bool) throws(LineError) {
        for i in elements.indices {
            guard case .assertion(let kind, let negated, _, _) = elements[i] else { continue }
            let isWide = wide && kind == EM_ELEMENT_NONWORD
            if isPieceEdge(i + 1) {
                elements[i] = .assertion(kind: kind, negated: negated, before: false, wide: isWide)
            } else if isPieceEdge(i - 1) {
                elements[i] = .assertion(kind: kind, negated: negated, before: true, wide: isWide)
            } else {
                switch kind {
                case EM_ELEMENT_NONWORD:
                    elements[i] = .assertion(kind: EM_ELEMENT_NONWORD_BYTE, negated: negated, before: false)
                case EM_ELEMENT_LINE:
                    guard !negated else { throw .unsupported("!(L) in the middle of a piece") }
                    elements[i] = .alternatives(
                        [Alternative(values: [10], masks: []), Alternative(values: [13, 10], masks: [])],
                        negated: false)
                default:
                    elements[i] = .alternatives(
                        Self.boundaries.map { Alternative(values: [$0], masks: []) }, negated: negated)
                }
            }
        }
    }

    /// The bytes that ClamAV takes for the boundary of a word, on either side.
    private static let boundaries: [UInt8] = Array("\n\r \"'-./<=>@_".utf8)

    private func isPieceEdge(_ index: Int) -> Bool {
        guard elements.indices.contains(index) else { return true }
        if case .gap(let least, let most) = elements[index] { return most == nil || most != least }
        return false
    }
}

extension HexPattern.Element {
    /// Bytes that it takes; nil when that varies.
    var fixedLength: Int? {
        switch self {
        case .literal(let bytes): return bytes.count
        case .masked(let values, _): return values.count
        case .gap(let least, let most): return most == least ? Int(least) : nil
        case .alternatives(let list, _):
            let length = list.first?.values.count ?? 0
            return list.allSatisfy { $0.values.count == length } ? length : nil
        case .assertion(let kind, _, _, _): return kind == EM_ELEMENT_NONWORD_BYTE ? 1 : 0
        }
    }
}
