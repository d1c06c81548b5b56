import Bytes
import CModuleABI

/// A line of the extended format: `name:target:offset:signature[:lowest level[:highest level]]`.
struct BodyLine {
    let name: ByteView
    /// EM_TARGET_….
    let target: UInt8
    let place: PatternPlace
    let pattern: HexPattern

    init(_ line: ByteView) throws(LineError) {
        var fields = Fields(line)
        guard let name = fields.read(), let target = fields.read(), let offset = fields.read(),
            let text = fields.read()
        else { throw .malformed("fewer than four fields") }
        self.name = try Catalogue.checked(name)
        guard let number = Number.decimal(target) else { throw .malformed("the target is no number") }
        guard number < UInt64(EM_TARGET_COUNT) else { throw .unsupported("a target above 12") }
        self.target = UInt8(number)
        try fields.readLevels()
        place = try PatternPlace(offset, target: self.target)
        pattern = try HexPattern(text)
    }
}

/// Where a pattern may begin: the offset field.
///
/// `*`, `n`, `EOF-n`, `EP+n`, `EP-n`, `Sx+n`, `SEx`, `SL+n`, and for all of these but `*` a `,shift` behind it; `VI`;
/// `$n$`, which makes the signature a member of macro group n.
struct PatternPlace: Equatable {
    /// EM_BASE_….
    private(set) var base: UInt8
    private(set) var offset: Int32 = 0
    private(set) var shift: UInt32 = 0
    private(set) var section: UInt16 = 0
    private(set) var macroGroup: UInt8?

    /// No restriction.
    static let anywhere = PatternPlace()

    private init() {
        base = UInt8(EM_BASE_NONE)
    }

    /// - Parameter target: EM_TARGET_…, since only executables have sections.
    init(_ text: ByteView, target: UInt8) throws(LineError) {
        try self.init(text)
        guard UInt32(base) > EM_BASE_END else { return }
        guard target == UInt8(EM_TARGET_PE) || target == UInt8(EM_TARGET_ELF) || target == UInt8(EM_TARGET_MACHO)
        else { throw .malformed("an offset from an entry point or section for what is no executable") }
    }

    private init(_ text: ByteView) throws(LineError) {
        base = UInt8(EM_BASE_NONE)
        if text.count == 1, text[0] == UInt8(ascii: "*") { return }
        var main = text
        if let comma = text.firstIndex(of: UInt8(ascii: ",")) {
            main = text.prefix(comma)
            guard let value = Number.decimal(text.dropFirst(comma + 1)) else {
                throw .malformed("the offset's shift is no number")
            }
            guard value <= UInt64(Int32.max) else { throw .unsupported("an offset of 2 GiB or more") }
            shift = UInt32(value)
        }
        if main.hasPrefix(ByteView("EOF-")) {
            base = UInt8(EM_BASE_END)
            offset = -(try Self.number(main.dropFirst(4)))
        } else if main.hasPrefix(ByteView("EP")) {
            base = UInt8(EM_BASE_ENTRY)
            offset = try Self.signed(main.dropFirst(2))
        } else if main.hasPrefix(ByteView("SL")) {
            base = UInt8(EM_BASE_LAST_SECTION)
            offset = try Self.signed(main.dropFirst(2))
        } else if main.hasPrefix(ByteView("SE")) {
            base = UInt8(EM_BASE_IN_SECTION)
            section = try Self.sectionNumber(main.dropFirst(2))
        } else if main.hasPrefix(ByteView("S")) {
            guard let plus = main.firstIndex(of: UInt8(ascii: "+")) else {
                throw .malformed("the offset is of no known kind")
            }
            base = UInt8(EM_BASE_SECTION)
            section = try Self.sectionNumber(main.slice(1, plus))
            offset = try Self.number(main.dropFirst(plus + 1))
        } else if main.hasPrefix(ByteView("VI")) {
            base = UInt8(EM_BASE_VERSION)
        } else if main.hasPrefix(ByteView("$")) {
            let end = main.lastIndex(of: UInt8(ascii: "$"), in: 1..<max(1, main.count)) ?? main.count
            guard let group = Number.decimal(main.slice(1, end)), group < 32 else {
                throw .malformed("a macro group that is no number below 32")
            }
            macroGroup = UInt8(group)
        } else {
            base = UInt8(EM_BASE_START)
            offset = try Self.number(main)
        }
    }

    private static func number(_ text: ByteView) throws(LineError) -> Int32 {
        guard let value = Number.decimal(text) else { throw .malformed("the offset is of no known kind") }
        guard value <= UInt64(Int32.max) else { throw .unsupported("an offset of 2 GiB or more") }
        return Int32(value)
    }

    private static func signed(_ text: ByteView) throws(LineError) -> Int32 {
        if text.hasPrefix(ByteView("+")) { return try number(text.dropFirst(1)) }
        guard text.hasPrefix(ByteView("-")) else { throw .malformed("the offset is of no known kind") }
        return -(try number(text.dropFirst(1)))
    }

    private static func sectionNumber(_ text: ByteView) throws(LineError) -> UInt16 {
        guard let value = Number.decimal(text) else { throw .malformed("the section's number is no number") }
        guard value < 1024 else { throw .unsupported("a section number above 1,023") }
        return UInt16(value)
    }
}
