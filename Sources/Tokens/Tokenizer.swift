#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// Cuts the texts of a message into tokens: single words, and pairs of words at most two apart.
///
/// Training and scanning must see the same tokens, so this is the only place that knows how they are made;
/// a change of what comes out needs a new `version`, and em006 names the version it was trained with.
package struct Tokenizer: Sendable {
    /// Of the tokens' definition. em006 data of another version is not used.
    package static let version: UInt32 = 1
    /// Longer words are cut to their beginning: they are seldom words.
    static let longest = 24
    static let shortest = 3

    package private(set) var tokens: TokenSet
    private var before: UInt64 = 0
    private var beforeThat: UInt64 = 0

    package init(limit: Int = 12_000) {
        tokens = TokenSet(limit: limit)
    }

    /// Adds the words of a text, and their pairs. The text is UTF-8 as far as known; letters of ASCII count as lower case.
    package mutating func text(_ bytes: ByteView, field: TokenField) {
        before = 0
        beforeThat = 0
        var index = 0
        while index < bytes.count {
            guard Tokenizer.isWord(bytes[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < bytes.count, Tokenizer.isWord(bytes[index]) { index += 1 }
            word(bytes.slice(start, index), field: field)
        }
    }

    /// Adds one token as it stands (lower-cased), without pairs: a host name, a header's name, a fact.
    package mutating func whole(_ bytes: ByteView, field: TokenField) {
        guard !bytes.isEmpty else { return }
        var hash = TokenHash(field)
        for byte in bytes.prefix(128).buffer { hash.add(asciiLowercased(byte)) }
        tokens.insert(hash.value)
    }

    private mutating func word(_ bytes: ByteView, field: TokenField) {
        let word = Tokenizer.bare(bytes)
        guard word.count >= Tokenizer.shortest else { return }
        if word.count > Tokenizer.longest, word.buffer.allSatisfy({ $0 >= 0x80 }) {
            return syllables(word, field: field)
        }
        // Plain numbers say nothing; amounts ("$500") do.
        if word.buffer.allSatisfy({ $0 &- 0x30 < 10 || $0 == 0x2e || $0 == 0x2d }) { return }
        var hash = TokenHash(field)
        for byte in word.prefix(Tokenizer.longest).buffer { hash.add(asciiLowercased(byte)) }
        let token = hash.value
        tokens.insert(token)
        if before != 0 { tokens.insert(TokenHash.pair(before, token, distance: 1)) }
        if beforeThat != 0 { tokens.insert(TokenHash.pair(beforeThat, token, distance: 2)) }
        beforeThat = before
        before = token
    }

    /// Writing without spaces (Chinese, Japanese, Thai): every two neighbouring characters are a token.
    private mutating func syllables(_ run: ByteView, field: TokenField) {
        var previous = 0
        var current = 0
        var index = 1
        while index <= run.count {
            if index == run.count || run[index] & 0xc0 != 0x80 {
                if current > previous {
                    var hash = TokenHash(field)
                    hash.add(run.slice(previous, min(index, previous + 16)))
                    tokens.insert(hash.value)
                }
                previous = current
                current = index
            }
            index += 1
        }
    }

    /// Letters, digits, everything beyond ASCII, and the marks that belong to words and amounts.
    private static func isWord(_ byte: UInt8) -> Bool {
        if byte >= 0x80 { return true }
        let letter = byte | 0x20
        if letter &- 0x61 < 26 || byte &- 0x30 < 10 { return true }
        return byte == 0x24 || byte == 0x27 || byte == 0x2d || byte == 0x21 || byte == 0x5f || byte == 0x2e
            || byte == 0x40 || byte == 0x25
    }

    /// Without dots, dashes, quotes and underlines at both ends, and exclamation marks at the front.
    private static func bare(_ word: ByteView) -> ByteView {
        func isEdge(_ byte: UInt8) -> Bool { byte == 0x2e || byte == 0x2d || byte == 0x27 || byte == 0x5f }
        var low = 0
        var high = word.count
        while low < high, isEdge(word[low]) || word[low] == 0x21 { low += 1 }
        while high > low, isEdge(word[high - 1]) { high -= 1 }
        // One exclamation mark at the end is kept ("free!"), more are the same token.
        while high - low > 1, word[high - 1] == 0x21, word[high - 2] == 0x21 { high -= 1 }
        return word.slice(low, high)
    }
}
