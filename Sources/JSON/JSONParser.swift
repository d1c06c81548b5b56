/// Why a text is no JSON that we take.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package let message: String
    /// Where, in bytes from the beginning.
    package let offset: Int

    package var description: String { "JSON: \(message) at byte \(offset)" }
}

extension JSONValue {
    /// What a text may cost.
    package struct Limits: Sendable {
        /// Levels of arrays and objects.
        package var depth: Int
        /// Bytes of the whole text.
        package var size: Int
        /// Values of all kinds, member names not counted.
        package var values: Int

        package init(depth: Int = 64, size: Int = 16 << 20, values: Int = 1_000_000) {
            self.depth = depth
            self.size = size
            self.values = values
        }
    }

    /// Reads one JSON text of UTF-8 with nothing after it. A name that an object has twice is an error: two
    /// readers could take different ones.
    package init(parsing bytes: [UInt8], limits: Limits = Limits()) throws(JSONError) {
        guard bytes.count <= limits.size else {
            throw JSONError(message: "the text is longer than \(limits.size) bytes", offset: limits.size)
        }
        var parser = JSONParser(bytes: bytes, limits: limits)
        self = try parser.parse()
    }

    /// Reads one JSON text.
    package init(parsing text: String, limits: Limits = Limits()) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let limits: JSONValue.Limits
    var index = 0
    var count = 0

    init(bytes: [UInt8], limits: JSONValue.Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func parse() throws(JSONError) -> JSONValue {
        let value = try value(depth: 0)
        skipBlanks()
        guard index == bytes.count else { throw error("something follows the value") }
        return value
    }

    private func error(_ message: String) -> JSONError { JSONError(message: message, offset: index) }

    private mutating func skipBlanks() {
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= limits.depth else { throw error("nested deeper than \(limits.depth) levels") }
        count += 1
        guard count <= limits.values else { throw error("more than \(limits.values) values") }
        skipBlanks()
        guard index < bytes.count else { throw error("the text ends where a value should be") }
        switch bytes[index] {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let expected = text.description.utf8
        guard bytes[index...].starts(with: expected) else { throw error("not a value") }
        index += expected.count
        return value
    }

    /// The separator between elements, or the end: true when the container ends.
    private mutating func ends(with close: UInt8, isFirst: Bool) throws(JSONError) -> Bool {
        skipBlanks()
        guard index < bytes.count else { throw error("the text ends inside an array or an object") }
        if bytes[index] == close {
            index += 1
            return true
        }
        if !isFirst {
            guard bytes[index] == UInt8(ascii: ",") else { throw error("\",\" is missing") }
            index += 1
        }
        return false
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        index += 1
        var elements: [JSONValue] = []
        while try !ends(with: UInt8(ascii: "]"), isFirst: elements.isEmpty) {
            elements.append(try value(depth: depth))
        }
        return .array(elements)
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        index += 1
        var members: [String: JSONValue] = [:]
        while try !ends(with: UInt8(ascii: "}"), isFirst: members.isEmpty) {
            skipBlanks()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw error("a name is missing") }
            let start = index
            let name = try string()
            skipBlanks()
            guard index < bytes.count, bytes[index] == UInt8(ascii: ":") else { throw error("\":\" is missing") }
            index += 1
            guard members.updateValue(try value(depth: depth), forKey: name) == nil else {
                throw JSONError(message: "a name occurs twice", offset: start)
            }
        }
        return .object(members)
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = index
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") { index += 1 }
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[index - whole] != UInt8(ascii: "0") else {
            index = start
            throw error("not a value")
        }
        var isInteger = true
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            isInteger = false
            index += 1
            guard digits() > 0 else { throw error("a digit is missing") }
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
                index += 1
            }
            guard digits() > 0 else { throw error("a digit is missing") }
        }
        guard index - start <= 512 else { throw error("a number is longer than 512 bytes") }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw error("a number is too large") }
        return .number(value)
    }

    private mutating func digits() -> Int {
        let start = index
        while index < bytes.count, bytes[index] &- 0x30 < 10 { index += 1 }
        return index - start
    }

    private mutating func string() throws(JSONError) -> String {
        index += 1
        var text: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw error("a string is not valid UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw error("a string has a control character")
            default: text.append(byte)
            }
        }
        throw error("the text ends inside a string")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard index < bytes.count else { throw error("the text ends inside a string") }
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try unit())
            if code & 0xFC00 == 0xD800 {
                guard bytes[index...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
                    throw error("half of a surrogate pair")
                }
                index += 2
                let low = UInt32(try unit())
                guard low & 0xFC00 == 0xDC00 else { throw error("half of a surrogate pair") }
                code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("half of a surrogate pair") }
            text += String(Character(scalar)).utf8
        default: throw error("unknown escape in a string")
        }
    }

    private mutating func unit() throws(JSONError) -> UInt16 {
        guard bytes.count - index >= 4 else { throw error("the text ends inside a string") }
        var value: UInt16 = 0
        for byte in bytes[index..<(index + 4)] {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - 0x30
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - 0x57
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - 0x37
            default: throw error("not a hexadecimal digit")
            }
            value = value << 4 | UInt16(digit)
        }
        index += 4
        return value
    }
}
