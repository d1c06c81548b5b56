import Bytes
import CModuleABI

/// A subsignature of a logical signature.
enum Subsignature {
    /// Bytes with wildcards; several patterns when a modifier asks for more than one form.
    /// `text` is the same for equal ones.
    case body([HexPattern], PatternPlace, text: ByteView)
    case regex(RegexSubsignature)
    case compare(em_compare)
    /// A signature of a macro group, so far behind the beginning of the part before.
    case macro(group: UInt32, least: UInt32, most: UInt32)
    /// A picture that looks so.
    case image(UInt64)

    init(_ text: ByteView, number: Int, target: UInt8) throws(LineError) {
        guard !text.isEmpty else { throw .malformed("an empty subsignature") }
        if text[0] == UInt8(ascii: "$") {
            self = try Self.macro(text, number)
        } else if text.firstIndex(of: UInt8(ascii: "/")) != nil {
            self = .regex(try RegexSubsignature(text, target: target))
        } else if text.hasPrefix(ByteView("fuzzy_img#")) {
            self = .image(try Self.image(text))
        } else if let open = text.firstIndex(of: UInt8(ascii: "(")), open > 0,
            let first = text.firstIndex(of: UInt8(ascii: "#")),
            text.firstIndex(of: UInt8(ascii: "#"), from: first + 1) != nil
        {
            self = .compare(try CompareParser.parse(text, open: open))
        } else {
            self = try Self.body(text, target)
        }
    }

    /// The highest number of another part that it refers to.
    var lastReference: Int? {
        switch self {
        case .body: nil
        case .regex(let regex): regex.trigger.lastPart
        // May refer to a later one, which was noted when it is evaluated.
        case .compare: nil
        case .macro, .image: nil
        }
    }

    /// `[offset:]hex[::modifiers]`.
    private static func body(_ text: ByteView, _ target: UInt8) throws(LineError) -> Subsignature {
        var fields = Fields(text)
        var list: [ByteView] = []
        while list.count < 5, let field = fields.read() { list.append(field) }
        // ClamAV takes the first of five or more fields, without modifiers.
        if list.count > 4 { list = [list[0]] }
        var place = PatternPlace.anywhere
        if list.count % 2 == 0 { place = try PatternPlace(list[0], target: target) }
        let content = list.count % 2 == 0 ? list[1] : list[0]
        let modifiers = try Modifiers(list.count > 2 ? list[list.count - 1] : ByteView())
        if modifiers.wide {
            let wide = try HexPattern(
                content, wide: true, fullword: modifiers.fullword, ignoresCase: modifiers.ignoresCase)
            guard modifiers.ascii else { return .body([wide], place, text: text) }
            let narrow = try HexPattern(
                content, wide: false, fullword: modifiers.fullword, ignoresCase: modifiers.ignoresCase)
            return .body([wide, narrow], place, text: text)
        }
        return .body(
            [
                try HexPattern(
                    content, wide: false, fullword: modifiers.fullword, ignoresCase: modifiers.ignoresCase)
            ], place, text: text)
    }

    private struct Modifiers {
        var ignoresCase = false
        var wide = false
        var fullword = false
        var ascii = false

        init(_ text: ByteView) throws(LineError) {
            for letter in text.buffer {
                switch letter {
                case UInt8(ascii: "i"): ignoresCase = true
                case UInt8(ascii: "w"): wide = true
                case UInt8(ascii: "f"): fullword = true
                case UInt8(ascii: "a"): ascii = true
                default: throw .malformed("an unknown modifier of a subsignature")
                }
            }
        }
    }

    /// `fuzzy_img#hash[#distance]`.
    private static func image(_ text: ByteView) throws(LineError) -> UInt64 {
        var fields = Fields(text, separator: UInt8(ascii: "#"))
        _ = fields.read()
        guard let digits = fields.read(), digits.count == 16, let bytes = HexText.bytes(digits) else {
            throw .malformed("a fuzzy hash of an image without 16 hexadecimal digits")
        }
        if let distance = fields.read() {
            guard let number = Number.decimal(distance), fields.read() == nil else {
                throw .malformed("the distance of a fuzzy hash is no number")
            }
            guard number == 0 else { throw .unsupported("fuzzy hashes of images with a distance") }
        }
        return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// `${min-max}group$`.
    private static func macro(_ text: ByteView, _ number: Int) throws(LineError) -> Subsignature {
        guard number > 0 else { throw .malformed("a macro subsignature without one before it") }
        guard text.count > 4, text[1] == UInt8(ascii: "{"), text[text.count - 1] == UInt8(ascii: "$"),
            let dash = text.firstIndex(of: UInt8(ascii: "-")), let close = text.firstIndex(of: UInt8(ascii: "}")),
            dash < close, let least = Number.decimal(text.slice(2, dash)),
            let most = Number.decimal(text.slice(dash + 1, close)),
            let group = Number.decimal(text.slice(close + 1, text.count - 1))
        else { throw .malformed("a macro subsignature that is none") }
        guard group < 32 else { throw .malformed("a macro group above 31") }
        return .macro(group: UInt32(group), least: UInt32(clamping: least), most: UInt32(clamping: most))
    }
}

/// `[offset:]trigger/expression/[flags]`.
struct RegexSubsignature {
    let place: PatternPlace
    let trigger: LogicalExpression
    let expression: ByteView
    /// EM_REGEX_….
    let options: UInt32

    init(_ text: ByteView, target: UInt8) throws(LineError) {
        guard let start = text.firstIndex(of: UInt8(ascii: "/")),
            let end = text.lastIndex(of: UInt8(ascii: "/"), in: 0..<text.count), start < end
        else { throw .malformed("a regular expression without its second '/'") }
        var head = text.prefix(start)
        if let colon = head.firstIndex(of: UInt8(ascii: ":")) {
            place = try PatternPlace(head.prefix(colon), target: target)
            head = head.dropFirst(colon + 1)
        } else {
            place = .anywhere
        }
        guard !head.isEmpty else { throw .malformed("a regular expression without a trigger") }
        trigger = try LogicalExpression(head)
        expression = text.slice(start + 1, end)
        guard !expression.isEmpty else { throw .malformed("an empty regular expression") }
        var options: UInt32 = 0
        for flag in text.dropFirst(end + 1).buffer {
            switch flag {
            case UInt8(ascii: "g"): options |= EM_REGEX_GLOBAL
            case UInt8(ascii: "r"): options |= EM_REGEX_ROLLING
            case UInt8(ascii: "e"): options |= EM_REGEX_ENCOMPASS
            case UInt8(ascii: "i"): options |= EM_REGEX_CASELESS
            case UInt8(ascii: "s"): options |= EM_REGEX_DOTALL
            case UInt8(ascii: "m"): options |= EM_REGEX_MULTILINE
            case UInt8(ascii: "x"): options |= EM_REGEX_EXTENDED
            case UInt8(ascii: "A"): options |= EM_REGEX_ANCHORED
            case UInt8(ascii: "E"): options |= EM_REGEX_DOLLAR_END
            case UInt8(ascii: "U"): options |= EM_REGEX_UNGREEDY
            default: throw .malformed("an unknown flag of a regular expression")
            }
        }
        self.options = options
        try RegexCheck.check(expression, options: options)
    }

    /// What its matches are made of, if that can be told.
    var outline: ExpressionOutline? {
        guard options & EM_REGEX_EXTENDED == 0 else { return nil }
        return ExpressionOutline(expression, ignoresCase: options & EM_REGEX_CASELESS != 0)
    }
}

/// `part(offset#options length#comparison[,comparison])`.
enum CompareParser {
    static func parse(_ text: ByteView, open: Int) throws(LineError) -> em_compare {
        var compare = em_compare()
        guard let part = Number.decimal(text.prefix(open)), part < UInt64(EM_PARTS_LIMIT) else {
            throw .malformed("a byte comparison without the number of its part")
        }
        compare.part = UInt32(part)
        guard let close = text.firstIndex(of: UInt8(ascii: ")"), from: open) else {
            throw .malformed("a byte comparison that does not close")
        }
        let inside = text.slice(open + 1, close)
        guard let first = inside.firstIndex(of: UInt8(ascii: "#")),
            let second = inside.firstIndex(of: UInt8(ascii: "#"), from: first + 1)
        else { throw .malformed("a byte comparison with fewer than three fields") }
        compare.offset = try offset(inside.prefix(first))
        try readOptions(inside.slice(first + 1, second), &compare)
        try readComparisons(inside.dropFirst(second + 1), &compare)
        return compare
    }

    private static func offset(_ text: ByteView) throws(LineError) -> Int32 {
        if text.isEmpty || text[0] == UInt8(ascii: "0") { return 0 }
        let isBack = text.hasPrefix(ByteView("<<"))
        guard isBack || text.hasPrefix(ByteView(">>")), let value = number(text.dropFirst(2)),
            value >= 0, value <= Int64(Int32.max)
        else { throw .malformed("a byte comparison with an offset that is none") }
        return isBack ? -Int32(value) : Int32(value)
    }

    private static func readOptions(_ text: ByteView, _ compare: inout em_compare) throws(LineError) {
        let malformed = LineError.malformed("a byte comparison with options that contradict each other")
        var at = 0
        var hasOrder = false
        var isLittle = false
        while at < text.count, text[at] &- 0x30 >= 10 {
            switch text[at] {
            case UInt8(ascii: "h"): try set(EM_COMPARE_HEX, &compare)
            case UInt8(ascii: "d"):
                guard !isLittle else { throw malformed }
                try set(EM_COMPARE_DECIMAL, &compare)
            case UInt8(ascii: "a"): try set(EM_COMPARE_AUTO, &compare)
            case UInt8(ascii: "i"): try set(EM_COMPARE_BINARY, &compare)
            case UInt8(ascii: "l"):
                guard !hasOrder, compare.kind != UInt8(EM_COMPARE_DECIMAL) else { throw malformed }
                isLittle = true
                hasOrder = true
                compare.flags |= UInt8(EM_COMPARE_LITTLE)
            case UInt8(ascii: "b"):
                guard !isLittle else { throw malformed }
                hasOrder = true
            case UInt8(ascii: "e"): compare.flags |= UInt8(EM_COMPARE_EXACT)
            default: throw .malformed("a byte comparison with an unknown option")
            }
            at += 1
        }
        guard compare.kind != 0, hasOrder || compare.kind == UInt8(EM_COMPARE_DECIMAL) else {
            throw .malformed("a byte comparison without a kind or an order of bytes")
        }
        guard let length = number(text.dropFirst(at)), length > 0, length <= 255 else {
            throw .malformed("a byte comparison with a length that is none")
        }
        switch UInt32(compare.kind) {
        case EM_COMPARE_BINARY:
            guard length == 1 || length == 2 || length == 4 || length == 8 else {
                throw .malformed("a byte comparison of binary data that has not 1, 2, 4 or 8 bytes")
            }
        case EM_COMPARE_HEX:
            guard length <= 18 else { throw .malformed("a byte comparison of more than 18 hex digits") }
        default: break
        }
        compare.length = UInt8(length)
    }

    private static func set(_ kind: UInt32, _ compare: inout em_compare) throws(LineError) {
        guard compare.kind == 0 || compare.kind == UInt8(kind) else {
            throw .malformed("a byte comparison with options that contradict each other")
        }
        compare.kind = UInt8(kind)
    }

    private static func readComparisons(_ text: ByteView, _ compare: inout em_compare) throws(LineError) {
        var rest = text
        while true {
            let comma = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.count
            let item = rest.prefix(comma)
            guard compare.count < 2 else { throw .malformed("a byte comparison with more than two conditions") }
            guard item.count >= 2, ByteView("<>=").firstIndex(of: item[0]) != nil, let value = number(item.dropFirst(1))
            else { throw .malformed("a byte comparison with a condition that is none") }
            if compare.count == 0 {
                compare.symbol.0 = item[0]
                compare.value.0 = UInt64(bitPattern: value)
            } else {
                compare.symbol.1 = item[0]
                compare.value.1 = UInt64(bitPattern: value)
            }
            compare.count += 1
            guard comma < rest.count else { return }
            rest = rest.dropFirst(comma + 1)
        }
    }

    /// As C reads numbers: decimal, 0x… hexadecimal, 0… octal; perhaps with a sign.
    static func number(_ text: ByteView) -> Int64? {
        var digits = text
        var isNegative = false
        if let sign = text.isEmpty ? nil : text[0], sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            digits = text.dropFirst(1)
        }
        var base: Int64 = 10
        if digits.hasPrefixIgnoringCase(ByteView("0x")) {
            base = 16
            digits = digits.dropFirst(2)
        } else if digits.count > 1, digits[0] == UInt8(ascii: "0") {
            base = 8
        }
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in digits.buffer {
            guard let digit = Number.hex(byte), Int64(digit) < base else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: base)
            let (sum, carry) = product.addingReportingOverflow(Int64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return isNegative ? -value : value
    }
}
