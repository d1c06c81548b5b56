/// Parses rules: statements, and the sections of a rule before its condition.
struct Parser {
    private var lexer: Lexer
    private(set) var token: Token
    /// A token read ahead of `token`.
    private var ahead: Token?
    /// What the lexer could not read: reported when the token is used.
    private var failure: YARAError?
    var depth = 0

    /// Strings in a rule, and levels of an expression.
    private static let stringLimit = 10_000
    static let depthLimit = 100

    enum Statement {
        case importModule(String, SourcePlace)
        case include(String, SourcePlace)
        case rule(Rule)
    }

    init(_ bytes: [UInt8], file: String) {
        lexer = Lexer(bytes, file: file)
        token = Token(kind: .end, place: lexer.place)
        prime()
    }

    private mutating func prime() {
        do throws(YARAError) {
            token = try lexer.next()
            failure = nil
        } catch {
            token = Token(kind: .symbol("?"), place: error.place)
            failure = error
        }
    }

    // MARK: - Tokens

    mutating func advance() throws(YARAError) {
        if let failure { throw failure }
        if let next = ahead {
            token = next
            ahead = nil
            return
        }
        token = try lexer.next()
    }

    /// The token after this one.
    mutating func peek() throws(YARAError) -> Token {
        if let ahead { return ahead }
        let next = try lexer.next()
        ahead = next
        return next
    }

    func isSymbol(_ text: String) -> Bool { token.kind == .symbol(text) }
    func isKeyword(_ word: Keyword) -> Bool { token.kind == .keyword(word) }

    mutating func take(_ text: String) throws(YARAError) -> Bool {
        guard isSymbol(text) else { return false }
        try advance()
        return true
    }

    mutating func take(_ word: Keyword) throws(YARAError) -> Bool {
        guard isKeyword(word) else { return false }
        try advance()
        return true
    }

    mutating func expect(_ text: String) throws(YARAError) {
        guard try take(text) else { throw unexpected("\(text) is missing") }
    }

    func unexpected(_ reason: String) -> YARAError {
        if let failure { return failure }
        return YARAError(at: token.place, token.kind == .end ? "the file ends: \(reason)" : reason)
    }

    mutating func name() throws(YARAError) -> String {
        guard case .identifier(let name) = token.kind else { throw unexpected("a name is missing") }
        try advance()
        return name
    }

    /// Goes to the beginning of the next rule or statement after an error.
    mutating func recover() {
        ahead = nil
        depth = 0
        var afterBrace = false
        var first = true
        while true {
            switch token.kind {
            case .end where failure == nil: return
            case .keyword(.rule), .keyword(.privateRule), .keyword(.global), .keyword(.importModule),
                .keyword(.include):
                // `private` is a modifier of strings too.
                if !first, afterBrace || token.place.column == 1 { return }
                afterBrace = false
            case .symbol("}"): afterBrace = true
            default: afterBrace = false
            }
            first = false
            if failure != nil { lexer.skipOne() }
            prime()
        }
    }

    // MARK: - Statements

    /// The next statement; nil at the end.
    mutating func statement() throws(YARAError) -> Statement? {
        if let failure { throw failure }
        let place = token.place
        switch token.kind {
        case .end: return nil
        case .keyword(.importModule):
            try advance()
            guard case .text(let text) = token.kind else { throw unexpected("the module's name is missing") }
            // The lexer must not read ahead over what may be damaged: the name ends the statement.
            defer { prime() }
            return .importModule(String(decoding: text, as: UTF8.self), place)
        case .keyword(.include):
            try advance()
            guard case .text(let text) = token.kind else { throw unexpected("the file's name is missing") }
            defer { prime() }
            return .include(String(decoding: text, as: UTF8.self), place)
        case .keyword(.rule), .keyword(.privateRule), .keyword(.global): return .rule(try rule())
        default: throw unexpected("a rule, import or include is missing")
        }
    }

    private mutating func rule() throws(YARAError) -> Rule {
        var (isPrivate, isGlobal) = (false, false)
        while true {
            if try take(.privateRule) { isPrivate = true } else if try take(.global) { isGlobal = true } else { break }
        }
        guard try take(.rule) else { throw unexpected("the word rule is missing") }
        let place = token.place
        let name = try name()
        var tags: [String] = []
        if try take(":") {
            while case .identifier(let tag) = token.kind {
                guard !tags.contains(tag) else { throw unexpected("a tag twice") }
                tags.append(tag)
                try advance()
            }
            guard !tags.isEmpty else { throw unexpected("a tag is missing") }
        }
        try expect("{")
        var meta: [(String, MetaValue)] = []
        if try take(.meta) {
            try expect(":")
            while case .identifier(let key) = token.kind {
                try advance()
                try expect("=")
                meta.append((key, try metaValue()))
            }
        }
        var strings: [StringDefinition] = []
        if try take(.strings) {
            try expect(":")
            while case .string = token.kind {
                let string = try stringDefinition()
                guard strings.count < Self.stringLimit else {
                    throw YARAError(.unsupported, at: string.place, "more than 10,000 strings in a rule")
                }
                if !string.name.isEmpty, strings.contains(where: { $0.name == string.name }) {
                    throw YARAError(at: string.place, "a string defined twice")
                }
                strings.append(string)
            }
            guard !strings.isEmpty else { throw unexpected("a string is missing") }
        }
        guard try take(.condition) else { throw unexpected("the condition is missing") }
        try expect(":")
        let condition = try expression()
        guard isSymbol("}") else { throw unexpected("an operator or } is missing") }
        prime()
        return Rule(
            name: name, place: place, isPrivate: isPrivate, isGlobal: isGlobal, tags: tags, meta: meta,
            strings: strings, condition: condition)
    }

    private mutating func metaValue() throws(YARAError) -> MetaValue {
        let value: MetaValue
        let isNegative = try take("-")
        switch token.kind {
        case .integer(let number): value = .integer(isNegative ? -number : number)
        case .text(let text) where !isNegative: value = .text(text)
        case .keyword(.trueValue) where !isNegative: value = .boolean(true)
        case .keyword(.falseValue) where !isNegative: value = .boolean(false)
        default: throw unexpected("a value of the meta section is missing")
        }
        try advance()
        return value
    }

    private mutating func stringDefinition() throws(YARAError) -> StringDefinition {
        let place = token.place
        guard case .string(let name) = token.kind, !name.hasSuffix("*") else {
            throw unexpected("a string's name is missing")
        }
        try advance()
        guard isSymbol("=") else { throw unexpected("= is missing") }
        if ahead != nil { throw unexpected("= is missing") }
        try advance()
        let content: StringDefinition.Content
        let start = token.place
        switch token.kind {
        case .text(let text):
            try advance()
            content = .text(text)
        case .regex(let pattern, let ignoresCase, let dotMatchesAll):
            try advance()
            content = .regex(
                try RegexParser.parse(pattern, ignoresCase: ignoresCase, dotMatchesAll: dotMatchesAll, at: start))
        case .symbol("{"):
            let body = try lexer.readHexBody()
            content = .hex(try HexStringParser.parse(body, at: start))
            token = try lexer.next()
        default: throw unexpected("a text, hex string or regular expression is missing")
        }
        let modifiers = try modifiers(of: content)
        return StringDefinition(name: name, place: place, content: content, modifiers: modifiers)
    }

    private mutating func modifiers(of content: StringDefinition.Content) throws(YARAError) -> StringModifiers {
        var result = StringModifiers()
        let start = token.place
        while case .keyword(let word) = token.kind {
            switch word {
            case .ascii: result.ascii = true
            case .wide: result.wide = true
            case .nocase: result.nocase = true
            case .fullword: result.fullword = true
            case .privateRule: result.isPrivate = true
            case .xor: result.xor = 0...255
            case .base64: result.base64 = true
            case .base64wide: result.base64wide = true
            default:
                try check(result, content, start)
                return result
            }
            try advance()
            if word == .xor, isSymbol("(") { result.xor = try keys() }
            if word == .base64 || word == .base64wide, isSymbol("(") { result.alphabet = try alphabet() }
        }
        try check(result, content, start)
        return result
    }

    private mutating func keys() throws(YARAError) -> ClosedRange<UInt8> {
        try advance()
        let low = try key()
        var high = low
        if try take("-") { high = try key() }
        guard low <= high else { throw unexpected("a range of xor whose limits are exchanged") }
        try expect(")")
        return low...high
    }

    private mutating func key() throws(YARAError) -> UInt8 {
        guard case .integer(let number) = token.kind, let key = UInt8(exactly: number) else {
            throw unexpected("a key of xor from 0 to 255 is missing")
        }
        try advance()
        return key
    }

    private mutating func alphabet() throws(YARAError) -> [UInt8] {
        try advance()
        guard case .text(let text) = token.kind, text.count == 64 else {
            throw unexpected("an alphabet of 64 characters is missing")
        }
        try advance()
        try expect(")")
        return text
    }

    private func check(
        _ modifiers: StringModifiers, _ content: StringDefinition.Content, _ place: SourcePlace
    ) throws(YARAError) {
        let isBase64 = modifiers.base64 || modifiers.base64wide
        switch content {
        case .hex:
            var rest = modifiers
            rest.isPrivate = false
            if rest != StringModifiers() { throw YARAError(at: place, "a modifier that hex strings have not") }
        case .regex:
            if modifiers.xor != nil || isBase64 {
                throw YARAError(at: place, "a modifier that regular expressions have not")
            }
        case .text(let text):
            guard !text.isEmpty else { throw YARAError(at: place, "an empty string") }
            if modifiers.xor != nil, modifiers.nocase || isBase64 {
                throw YARAError(at: place, "xor together with nocase or base64")
            }
            if isBase64, modifiers.nocase || modifiers.fullword {
                throw YARAError(at: place, "base64 together with nocase or fullword")
            }
            if isBase64, text.count < 3 { throw YARAError(at: place, "base64 of fewer than three bytes") }
        }
    }
}
