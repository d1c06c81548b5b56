/// A line of a rule file, cut into words and quoted texts.
struct RuleLine {
    enum Word: Equatable {
        case plain(String)
        case quoted([UInt8])
    }

    let file: String
    let number: Int
    private(set) var words: [Word] = []
    private var next = 0

    /// Cuts a line; "#" begins a comment.
    init(_ line: Substring.UTF8View, file: String, number: Int) throws(SpamCompilerError) {
        self.file = file
        self.number = number
        var bytes = line[...]
        while let first = bytes.first {
            switch first {
            case 0x20, 0x09, 0x0d: bytes.removeFirst()
            case 0x23: return
            case 0x22:
                bytes.removeFirst()
                words.append(.quoted(try quoted(&bytes)))
            default:
                let word = bytes.prefix { $0 > 0x20 && $0 != 0x22 && $0 != 0x23 }
                words.append(.plain(String(decoding: word, as: UTF8.self)))
                bytes = bytes[word.endIndex...]
            }
        }
    }

    private func quoted(_ bytes: inout Substring.UTF8View) throws(SpamCompilerError) -> [UInt8] {
        var result: [UInt8] = []
        while let byte = bytes.popFirst() {
            if byte == 0x22 { return result }
            guard byte == 0x5c else {
                result.append(byte)
                continue
            }
            guard let escaped = bytes.popFirst(), escaped == 0x22 || escaped == 0x5c else {
                throw error("after \\ in a text only \" or \\ may stand")
            }
            result.append(escaped)
        }
        throw error("the text has no closing \"")
    }

    func error(_ message: String) -> SpamCompilerError { SpamCompilerError(file, line: number, message) }

    // MARK: Reading

    var isAtEnd: Bool { next == words.count }

    mutating func plain(_ what: String) throws(SpamCompilerError) -> String {
        guard next < words.count, case .plain(let word) = words[next] else { throw error("\(what) is missing") }
        next += 1
        return word
    }

    /// Takes the next word when it is this one.
    mutating func take(_ word: String) -> Bool {
        guard next < words.count, words[next] == .plain(word) else { return false }
        next += 1
        return true
    }

    mutating func quoted(_ what: String) throws(SpamCompilerError) -> [UInt8] {
        guard next < words.count, case .quoted(let text) = words[next] else {
            throw error("\(what) is missing: write it in \"…\"")
        }
        next += 1
        return text
    }

    /// All texts up to the line's end; at least one.
    mutating func texts() throws(SpamCompilerError) -> [[UInt8]] {
        var result = [try quoted("the text to compare with")]
        while !isAtEnd { result.append(try quoted("a text")) }
        if result.contains(where: \.isEmpty) { throw error("an empty text would fit everywhere") }
        return result
    }

    /// A decimal number, as thousandths times `scale`: "2.5" with 1000 is 2500.
    mutating func number(_ what: String, scale: Int64) throws(SpamCompilerError) -> Int64 {
        let word = try plain(what)
        guard let value = Double(word), value.isFinite, abs(value) <= 1_000_000_000 else {
            throw error("\(what): \"\(word)\" is no number")
        }
        return Int64((value * Double(scale)).rounded())
    }

    func end() throws(SpamCompilerError) {
        guard isAtEnd else { throw error("there is more on the line than is understood") }
    }
}
