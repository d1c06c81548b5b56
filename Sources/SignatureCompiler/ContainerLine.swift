import Bytes
import CModuleABI

/// A line of the container metadata format: `name:container type:container size:name regex:packed size:size:encrypted:
/// position:CRC-32:reserved[:lowest level[:highest level]]`; `*` is anything.
struct ContainerLine {
    let name: ByteView
    /// The type's number as conditions have it; 0: any.
    let container: UInt32
    let containerSize, packedSize, statedSize, position: ClosedRange<UInt64>
    /// Empty: any name.
    let nameRegex: [UInt8]
    let isEncrypted: Bool?
    let crc32: UInt32?

    init(_ line: ByteView) throws(LineError) {
        var fields = ContainerLine.split(line)
        guard fields.count >= 10 else { throw .malformed("fewer than ten fields") }
        name = try Catalogue.checked(fields[0])
        let levels = fields.dropFirst(10)
        fields.removeLast(fields.count - 10)
        try Levels.check(levels)
        container = Self.isAny(fields[1]) ? 0 : try FileTypeName.code(fields[1])
        containerSize = try Self.range(fields[2], "container size")
        packedSize = try Self.range(fields[4], "size in the container")
        statedSize = try Self.range(fields[5], "size")
        position = try Self.range(fields[7], "position")
        if Self.isAny(fields[3]) {
            nameRegex = []
        } else {
            guard !fields[3].isEmpty else { throw .malformed("the regular expression for the name is empty") }
            try RegexCheck.check(fields[3], options: 0)
            nameRegex = fields[3].array
        }
        if Self.isAny(fields[6]) {
            isEncrypted = nil
        } else {
            guard fields[6].count == 1, fields[6][0] & 0xfe == 0x30 else {
                throw .malformed("whether it is encrypted is neither 0, 1 nor *")
            }
            isEncrypted = fields[6][0] == 0x31
        }
        crc32 = try Self.checksum(fields[8], container)
    }

    /// The fields; a regular expression with a colon cannot be written.
    private static func split(_ line: ByteView) -> [ByteView] {
        var result: [ByteView] = []
        var rest = Fields(line)
        while let field = rest.read(), result.count < 13 { result.append(field) }
        return result
    }

    private static func isAny(_ field: ByteView) -> Bool { field.count == 1 && field[0] == UInt8(ascii: "*") }

    private static func range(_ field: ByteView, _ what: String) throws(LineError) -> ClosedRange<UInt64> {
        if isAny(field) { return 0...UInt64.max }
        guard let dash = field.firstIndex(of: UInt8(ascii: "-")) else {
            guard let value = Number.decimal(field) else { throw .malformed("the \(what) is no number") }
            return value...value
        }
        guard let low = Number.decimal(field.prefix(dash)), let high = Number.decimal(field.dropFirst(dash + 1)),
            low <= high
        else { throw .malformed("the \(what) is no range of numbers") }
        return low...high
    }

    /// Only ZIP and RAR state one that signatures mean.
    private static func checksum(_ field: ByteView, _ container: UInt32) throws(LineError) -> UInt32? {
        guard !isAny(field), !field.isEmpty else { return nil }
        let zip = try FileTypeName.code(ByteView("CL_TYPE_ZIP"))
        let rar = try FileTypeName.code(ByteView("CL_TYPE_RAR"))
        guard container == zip || container == rar else { return nil }
        var value: UInt32 = 0
        guard field.count <= 8 else { throw .malformed("the checksum has more than eight digits") }
        for byte in field.buffer {
            guard let digit = Number.hex(byte) else { throw .malformed("the checksum is no hexadecimal number") }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}

/// Engine levels at the end of a line.
enum Levels {
    /// Refuses what is for other engines.
    static func check(_ fields: ArraySlice<ByteView>) throws(LineError) {
        guard fields.count <= 2 else { throw .malformed("too many fields") }
        if let lowest = fields.first, !lowest.isEmpty {
            guard let level = Number.decimal(lowest) else { throw .malformed("the lowest engine level is no number") }
            if level > SignatureCompiler.level { throw .unsupported("for a newer engine") }
        }
        if let highest = fields.dropFirst().first, !highest.isEmpty {
            guard let level = Number.decimal(highest) else { throw .malformed("the highest engine level is no number") }
            if level < SignatureCompiler.level { throw .unsupported("for an older engine") }
        }
    }
}
