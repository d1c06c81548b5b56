package import CModuleABI

/// The texts that BODY predicates look for, sorted by the hash of their anchors, see em_antispam_database.h.
package struct LiteralIndex {
    private(set) var texts: [[UInt8]] = []
    private var ids: [[UInt8]: Int] = [:]

    package init() {}

    /// The id of a text; the same text has one id.
    package mutating func id(of text: [UInt8]) -> Int {
        if let id = ids[text] { return id }
        ids[text] = texts.count
        texts.append(text)
        return texts.count - 1
    }

    /// The section's elements and the index over their anchors.
    ///
    /// - Parameter place: puts a text into the text section.
    /// - Returns: the elements, and the first one of each hash.
    package func sections(
        place: ([UInt8]) -> em_antispam_text
    ) -> (literals: [em_antispam_literal], anchors: [UInt32]) {
        let sorted = texts.indices.map { id in (id: id, anchor: Self.anchor(texts[id])) }
            .map { (id: $0.id, anchor: $0.anchor, hash: Self.hash(texts[$0.id], $0.anchor)) }
            .sorted { ($0.hash, $0.id) < ($1.hash, $1.id) }
        var anchors = [UInt32](repeating: 0, count: Int(EM_ANTISPAM_ANCHORS) + 1)
        for entry in sorted { anchors[entry.hash + 1] += 1 }
        for hash in 1..<anchors.count { anchors[hash] += anchors[hash - 1] }
        let literals = sorted.map { entry in
            em_antispam_literal(text: place(texts[entry.id]), anchor: UInt32(entry.anchor), id: UInt32(entry.id))
        }
        return (literals, anchors)
    }

    static func hash(_ text: [UInt8], _ anchor: Int) -> Int {
        let value = (0..<4).reduce(UInt32(0)) { $0 | UInt32(text[anchor + $1]) << (8 * UInt32($1)) }
        return Int((value &* 0x9e37_79b1) >> 16)
    }

    /// Where the four bytes begin that are rarest in letters.
    static func anchor(_ text: [UInt8]) -> Int {
        func commonness(_ byte: UInt8) -> Int {
            switch byte {
            case 0x20: 12
            case 0x65: 9
            case 0x74, 0x61, 0x6f, 0x69, 0x6e: 7
            case 0x73, 0x72, 0x68, 0x6c, 0x64: 5
            case 0x61...0x7a: 3
            default: 1
            }
        }
        let windows = 0...(text.count - 4)
        return windows.min { a, b in
            (0..<4).reduce(0) { $0 + commonness(text[a + $1]) } < (0..<4).reduce(0) { $0 + commonness(text[b + $1]) }
        } ?? 0
    }
}
