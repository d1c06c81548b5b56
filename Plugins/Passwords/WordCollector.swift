import BytesE

/// Words of texts that may be a password, the likeliest first: those that follow a word for password, those with a
/// digit, the others.
struct WordCollector {
    private var told: [[UInt8]] = []
    private var numbered: [[UInt8]] = []
    private var plain: [[UInt8]] = []
    /// How many of the next words follow a word for password.
    private var near = 0

    /// Words of each of the three kinds; a mail that lists thousands is no mail to somebody who has to type one.
    private static let most = 100
    private static let longest = 64
    /// A password stands so many words behind the word for it: "the password for the attached archive is …".
    private static let reach = 8

    var words: [[UInt8]] { told + numbered + plain }

    /// Takes the words of a text.
    mutating func add(_ text: ByteView) {
        var start = 0
        var index = 0
        near = 0
        while index < text.count {
            let width = Self.separator(text, index)
            guard width > 0 else {
                index += 1
                continue
            }
            if index > start { token(text.slice(start, index)) }
            index += width
            start = index
        }
        if text.count > start { token(text.dropFirst(start)) }
    }

    /// Takes a name: its words lie between dots, lines and spaces.
    mutating func add(name: ByteView) {
        var start = 0
        for index in 0...name.count {
            guard index == name.count || Self.splitsNames(name[index]) else { continue }
            keep(name.slice(start, index))
            start = index + 1
        }
    }

    private static func splitsNames(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x28, 0x29, 0x2d, 0x2e, 0x2f, 0x3d, 0x5b, 0x5c, 0x5d, 0x5f: true
        default: false
        }
    }

    /// How many bytes of a separator begin here: spaces, quotes, angle brackets, punctuation of Unicode.
    private static func separator(_ text: ByteView, _ index: Int) -> Int {
        let byte = text[index]
        if byte <= 0x20 || byte == 0x22 || byte == 0x3c || byte == 0x3e || byte == 0x60 { return 1 }
        guard byte >= 0xc2, index + 1 < text.count else { return 0 }
        let next = text[index + 1]
        if byte == 0xc2 { return next == 0xa0 || next == 0xab || next == 0xbb ? 2 : 0 }
        guard index + 2 < text.count else { return 0 }
        // General punctuation, CJK punctuation, and the wide colon, comma and brackets.
        if byte == 0xe2, next == 0x80 || next == 0x81 { return 3 }
        if byte == 0xe3, next == 0x80 { return 3 }
        return byte == 0xef && next == 0xbc && text[index + 2] < 0xa0 && !(0x90...0x99).contains(text[index + 2])
            ? 3 : 0
    }

    private mutating func token(_ raw: ByteView) {
        if near > 0 { near -= 1 }
        let word = Self.trimmed(raw)
        let names = Self.namesPassword(word)
        if names { near = Self.reach }
        // "Password:1234", "pw=1234".
        for mark: UInt8 in [0x3a, 0x3d] {
            if let place = word.firstIndex(of: mark) { keep(Self.trimmed(word.dropFirst(place + 1))) }
        }
        guard !names else {
            // Writing without spaces: the word for password, and the password in Latin letters behind it.
            var start = word.count
            while start > 0, word[start - 1] < 0x80 { start -= 1 }
            if start > 0, start < word.count { keep(word.dropFirst(start)) }
            return
        }
        keep(word)
        if raw.count != word.count { keep(raw) }
    }

    private mutating func keep(_ word: ByteView) {
        guard !word.isEmpty, word.count <= Self.longest else { return }
        if near > 0 {
            Self.insert(word, &told)
        } else if (0..<word.count).contains(where: { word[$0] &- 0x30 < 10 }) {
            Self.insert(word, &numbered)
        } else if word.count > 2 {
            Self.insert(word, &plain)
        }
    }

    private static func insert(_ word: ByteView, _ list: inout [[UInt8]]) {
        guard list.count < most else { return }
        for other in list where other.count == word.count {
            if other.withUnsafeBufferPointer({ ByteView($0).equals(word) }) { return }
        }
        list.append(word.array)
    }

    /// Without the punctuation around a word.
    private static func trimmed(_ word: ByteView) -> ByteView {
        var low = 0
        var high = word.count
        while low < high, isBracket(word[low]) || word[low] == 0x3a { low += 1 }
        while high > low, isBracket(word[high - 1]) || isStop(word[high - 1]) { high -= 1 }
        return word.slice(low, high)
    }

    private static func isBracket(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x27, 0x28, 0x29, 0x2a, 0x5b, 0x5d, 0x5f, 0x7b, 0x7d: true
        default: false
        }
    }

    private static func isStop(_ byte: UInt8) -> Bool {
        byte == 0x21 || byte == 0x2c || byte == 0x2e || byte == 0x3a || byte == 0x3b || byte == 0x3f
    }

    /// Whether a word means password, in the languages of most mail.
    private static func namesPassword(_ word: ByteView) -> Bool {
        for stem: StaticString in [
            "pass", "pwd", "pw:", "pw=", "kennw", "code", "pin", "key", "contrase", "senha", "clave", "has\u{142}o",
            "heslo", "parol", "wachtw", "l\u{f6}sen", "jelsz", "salasana", "\u{43f}\u{430}\u{440}\u{43e}\u{43b}",
            "\u{41f}\u{430}\u{440}\u{43e}\u{43b}", "\u{43a}\u{43e}\u{434}", "\u{5bc6}\u{7801}", "\u{5bc6}\u{78bc}",
            "\u{89e3}\u{538b}", "\u{30d1}\u{30b9}", "\u{c554}\u{d638}", "\u{be44}\u{bc00}", "\u{fe}ifre", "\u{15f}ifre",
        ] where word.hasPrefixIgnoringCase(ByteView(stem)) {
            return true
        }
        return word.equalsIgnoringCase(ByteView("pw"))
    }
}
