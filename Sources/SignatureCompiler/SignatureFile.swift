package import Bytes

/// A file of signatures.
package struct SignatureFile {
    /// Its name, without folders; what comes after the last dot says the format.
    package let name: String
    /// Its content; must stay valid until the compilation ends.
    package let bytes: ByteView

    package init(name: String, bytes: ByteView) {
        self.name = name
        self.bytes = bytes
    }

    /// What the lines of the file are.
    var format: Format {
        // The licence of a container.
        if name.hasSuffix("COPYING") { return .none }
        guard let dot = name.lastIndex(of: ".") else { return .unknown }
        switch name[name.index(after: dot)...].lowercased() {
        case "hdb", "hsb": return .hashes(flags: 0)
        case "hdu", "hsu": return .hashes(flags: 1)
        case "fp", "sfp": return .allowed
        case "ndb": return .bodies(flags: 0)
        case "ndu": return .bodies(flags: 1)
        case "ign", "ign2": return .ignored
        case "ldb": return .logical(flags: 0)
        case "ldu": return .logical(flags: 1)
        case "mdb", "msb": return .sectionHashes(flags: 0)
        case "mdu", "msu": return .sectionHashes(flags: 1)
        case "imp": return .importHashes
        case "cdb": return .containers
        case "pdb": return .links(.protected)
        case "wdb": return .links(.allowed)
        case "gdb": return .links(.hashes)
        case "idb": return .icons
        case "ftm": return .fileTypes
        case "crb": return .certificates
        case "cbc": return .program("bytecode")
        case "yar", "yara": return .rules
        case "pwdb": return .passwords
        case "cfg", "info", "sign", "cat": return .none
        default: return .unknown
        }
    }

    enum Format: Equatable {
        /// EM_SIGNATURE_… flags of every signature in it.
        case hashes(flags: UInt32)
        case sectionHashes(flags: UInt32)
        case importHashes
        case certificates
        case icons
        case bodies(flags: UInt32)
        case logical(flags: UInt32)
        /// YARA rules.
        case rules
        case allowed
        case ignored
        case containers
        case links(LinkLine.Format)
        /// They say what objects are, and are no signatures.
        case fileTypes
        case passwords
        /// A known format that is not evaluated: each file counts as one.
        case program(String)
        /// Files of a database that hold no signatures.
        case none
        case unknown
    }
}

/// Walks over the lines of a file: without line ends, blank lines and comments.
struct Lines {
    private let bytes: ByteView
    private var next = 0
    /// Number of the line that `read` returned last, from 1.
    private(set) var number = 0

    init(_ bytes: ByteView) {
        self.bytes = bytes
    }

    mutating func read() -> ByteView? {
        while next < bytes.count {
            let end = bytes.firstIndex(of: 0x0a, from: next) ?? bytes.count
            let line = bytes.slice(next, end).trimmed
            next = end + 1
            number += 1
            if !line.isEmpty, line[0] != UInt8(ascii: "#") { return line }
        }
        return nil
    }
}

/// The parts of a line between colons.
struct Fields {
    private var rest: ByteView?
    private let separator: UInt8

    init(_ line: ByteView, separator: UInt8 = UInt8(ascii: ":")) {
        rest = line
        self.separator = separator
    }

    /// The next part, or nil after the last.
    mutating func read() -> ByteView? {
        guard let text = rest else { return nil }
        guard let colon = text.firstIndex(of: separator) else {
            rest = nil
            return text
        }
        rest = text.dropFirst(colon + 1)
        return text.prefix(colon)
    }

    /// Reads the optional engine levels that end many formats, and refuses what is for other engines.
    mutating func readLevels() throws(LineError) {
        let lowest = read()
        let highest = read()
        guard read() == nil else { throw .malformed("too many fields") }
        if let lowest, !lowest.isEmpty {
            guard let level = Number.decimal(lowest) else { throw .malformed("the lowest engine level is no number") }
            if level > SignatureCompiler.level { throw .unsupported("for a newer engine") }
        }
        if let highest, !highest.isEmpty {
            guard let level = Number.decimal(highest) else { throw .malformed("the highest engine level is no number") }
            if level < SignatureCompiler.level { throw .unsupported("for an older engine") }
        }
    }
}

/// Numbers in signature lines.
enum Number {
    /// A decimal number of at most 18 digits.
    static func decimal(_ text: ByteView) -> UInt64? {
        guard !text.isEmpty, text.count <= 18 else { return nil }
        var value: UInt64 = 0
        for byte in text.buffer {
            let digit = byte &- 0x30
            guard digit < 10 else { return nil }
            value = value * 10 + UInt64(digit)
        }
        return value
    }

    /// A hex digit's value, or nil.
    @inline(__always) static func hex(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }
}
