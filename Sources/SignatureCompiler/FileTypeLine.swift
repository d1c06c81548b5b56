import Bytes
import CModuleABI

/// A line of the file type format: `kind:offset:pattern:description:previous type:type[:lowest level[:highest level]]`.
struct FileTypeLine {
    /// EM_TYPE_….
    let type: UInt32
    /// EM_TYPE_… or EM_FILE_TYPE_ANY.
    let previous: UInt32
    /// Where the pattern may begin.
    let first, last: UInt32
    /// The bytes at the offset; of an expression, bytes that each match has, empty when there are none.
    let literal: [UInt8]
    /// Empty: the literal at its offset is all.
    let regex: [UInt8]

    init(_ line: ByteView) throws(LineError) {
        var parts = Fields(line)
        var fields: [ByteView] = []
        while let field = parts.read(), fields.count < 9 { fields.append(field) }
        guard fields.count >= 6 else { throw .malformed("fewer than six fields") }
        try Levels.check(fields.dropFirst(6))
        guard let kind = Number.decimal(fields[0]) else { throw .malformed("the kind is no number") }
        previous = try Self.type(fields[4], isPrevious: true)
        type = try Self.type(fields[5], isPrevious: false)
        switch kind {
        case 0:
            guard let offset = Number.decimal(fields[1]) else { throw .malformed("the offset is no number") }
            guard let bytes = HexText.bytes(fields[2]), !bytes.isEmpty else {
                throw .malformed("the bytes are no hexadecimal digits")
            }
            guard offset + UInt64(bytes.count) <= UInt64(EM_FILE_TYPE_WINDOW) else {
                throw .unsupported("a file type beyond the first 1,024 bytes")
            }
            first = UInt32(offset)
            last = first
            literal = bytes
            regex = []
        case 1:
            (first, last) = try Self.places(fields[1])
            let pattern = try HexPattern(fields[2])
            (regex, literal) = try PatternRegex.text(pattern, first: first, last: last)
            try RegexCheck.check(regex, options: EM_REGEX_DOTALL)
        case 4: throw .unsupported("types of disk partitions")
        default: throw .unsupported("an unknown kind of file type")
        }
    }

    private static func places(_ field: ByteView) throws(LineError) -> (UInt32, UInt32) {
        let place = try PatternPlace(field, target: UInt8(EM_TARGET_ANY))
        let window = EM_FILE_TYPE_WINDOW
        switch UInt32(place.base) {
        case EM_BASE_NONE: return (0, window)
        case EM_BASE_START:
            guard place.offset >= 0, UInt32(place.offset) < window else {
                throw .unsupported("a file type beyond the first 1,024 bytes")
            }
            let first = UInt32(place.offset)
            return (first, min(window, first.addingReportingOverflow(place.shift).partialValue))
        default: throw .unsupported("a file type at an offset from elsewhere than the beginning")
        }
    }

    /// EM_TYPE_… of a ClamAV type; what the scanner has no use for is not evaluated.
    static func type(_ name: ByteView, isPrevious: Bool = false) throws(LineError) -> UInt32 {
        guard name.hasPrefix(ByteView("CL_TYPE_")) else { throw .malformed("the type does not begin with CL_TYPE_") }
        if isPrevious, name.equals(ByteView("CL_TYPE_ANY")) { return EM_FILE_TYPE_ANY }
        for (known, type) in known where name.equals(ByteView(known)) { return type }
        throw .unsupported("a file type that the scanner has no use for")
    }

    private static let known: [(StaticString, UInt32)] = [
        ("CL_TYPE_MSEXE", EM_TYPE_PE), ("CL_TYPE_ELF", EM_TYPE_ELF), ("CL_TYPE_MACHO", EM_TYPE_MACHO),
        ("CL_TYPE_MACHO_UNIBIN", EM_TYPE_MACHO), ("CL_TYPE_MSOLE2", EM_TYPE_OLE2), ("CL_TYPE_HTML", EM_TYPE_HTML),
        ("CL_TYPE_HTML_UTF16", EM_TYPE_HTML), ("CL_TYPE_MAIL", EM_TYPE_MAIL), ("CL_TYPE_TEXT_ASCII", EM_TYPE_TEXT),
        ("CL_TYPE_TEXT_UTF8", EM_TYPE_TEXT), ("CL_TYPE_TEXT_UTF16LE", EM_TYPE_TEXT),
        ("CL_TYPE_TEXT_UTF16BE", EM_TYPE_TEXT), ("CL_TYPE_SCRIPT", EM_TYPE_SCRIPT),
        ("CL_TYPE_GRAPHICS", EM_TYPE_GRAPHICS), ("CL_TYPE_GIF", EM_TYPE_GRAPHICS), ("CL_TYPE_PNG", EM_TYPE_GRAPHICS),
        ("CL_TYPE_JPEG", EM_TYPE_GRAPHICS), ("CL_TYPE_TIFF", EM_TYPE_GRAPHICS), ("CL_TYPE_PDF", EM_TYPE_PDF),
        ("CL_TYPE_RTF", EM_TYPE_RTF), ("CL_TYPE_SWF", EM_TYPE_FLASH), ("CL_TYPE_JAVA", EM_TYPE_JAVA),
        ("CL_TYPE_LNK", EM_TYPE_LNK), ("CL_TYPE_BINARY_DATA", EM_TYPE_UNKNOWN),
    ]
}

/// A body pattern as a regular expression, for the few that are looked for in a short window.
enum PatternRegex {
    /// - Returns: the expression, and the longest bytes that every match has.
    static func text(
        _ pattern: HexPattern, first: UInt32, last: UInt32
    ) throws(LineError) -> (regex: [UInt8], literal: [UInt8]) {
        var regex: [UInt8] = []
        if first > 0 || last < EM_FILE_TYPE_WINDOW { regex += Array("\\A.{\(first),\(last)}?".utf8) }
        var longest: [UInt8] = []
        for element in pattern.elements {
            switch element {
            case .literal(let bytes):
                if bytes.count > longest.count { longest = bytes }
                for byte in bytes { regex += escaped(byte) }
            case .masked(let values, let masks):
                for (value, mask) in zip(values, masks) { regex += set(value, mask) }
            case .gap(let least, let most):
                let window = EM_FILE_TYPE_WINDOW
                guard least <= window else { throw .unsupported("a file type beyond the first 1,024 bytes") }
                regex += Array(".{\(least),\(most.map { String(min($0, window)) } ?? "")}?".utf8)
            case .alternatives(let list, let negated):
                regex += Array((negated ? "(?!" : "(?:").utf8)
                for (index, alternative) in list.enumerated() {
                    if index > 0 { regex.append(UInt8(ascii: "|")) }
                    for (place, value) in alternative.values.enumerated() {
                        regex += alternative.masks.isEmpty ? escaped(value) : set(value, alternative.masks[place])
                    }
                }
                regex.append(UInt8(ascii: ")"))
                if negated { regex += Array(".{\(list.first?.values.count ?? 0)}".utf8) }
            case .assertion: throw .unsupported("a file type with a boundary")
            }
        }
        return (regex, longest)
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func escaped(_ byte: UInt8) -> [UInt8] {
        [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// The bytes of which the masked bits are so.
    private static func set(_ value: UInt8, _ mask: UInt8) -> [UInt8] {
        if mask == 0 { return [UInt8(ascii: ".")] }
        var result = [UInt8(ascii: "[")]
        for byte in UInt8.min...UInt8.max where byte & mask == value & mask { result += escaped(byte) }
        return result + [UInt8(ascii: "]")]
    }
}
