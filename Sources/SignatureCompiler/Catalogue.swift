import Bytes
import CModuleABI
import DataModule

/// Names and origins of the signatures.
struct Catalogue {
    private var entries: [em_signature] = []
    private var sources: [em_source] = []
    private var text: [UInt8] = []

    /// Names are shown in logs, mail and web pages: nothing longer, and no control characters.
    static func checked(_ name: ByteView) throws(LineError) -> ByteView {
        guard !name.isEmpty else { throw .malformed("the name is empty") }
        guard name.count <= 512 else { throw .malformed("the name is longer than 512 bytes") }
        guard !hasControlCharacter(name) else { throw .malformed("the name has a control character") }
        return name
    }

    private static func hasControlCharacter(_ name: ByteView) -> Bool {
        var i = 0
        // Eight at a time: a byte below 0x20 borrows from its highest bit, and so does 0x7f when its bits are flipped.
        while let eight = name.load(UInt64.self, at: i) {
            let flipped = eight ^ 0x7f7f_7f7f_7f7f_7f7f
            let below = (eight &- 0x2020_2020_2020_2020) & ~eight
            let delete = (flipped &- 0x0101_0101_0101_0101) & ~flipped
            if (below | delete) & 0x8080_8080_8080_8080 != 0 { break }
            i += 8
        }
        while i < name.count {
            if name[i] < 0x20 || name[i] == 0x7f { return true }
            i += 1
        }
        return false
    }

    var count: Int { entries.count }

    /// Begins a source file; the signatures added next are from it.
    mutating func beginSource(_ name: String) throws(DataModuleError) {
        guard sources.count < Int(UInt16.max) else { throw DataModuleError("more than 65,535 signature files") }
        var source = em_source()
        source.name = try place(ByteView(), Array(name.utf8))
        source.name_length = UInt32(name.utf8.count)
        sources.append(source)
    }

    /// Adds a signature; returns its number.
    mutating func add(_ name: ByteView, line: Int, flags: UInt32) throws(DataModuleError) -> UInt32 {
        guard entries.count < Int(Int32.max), !sources.isEmpty else { throw DataModuleError("too many signatures") }
        var entry = em_signature()
        entry.name = try place(name, [])
        entry.name_length = UInt16(name.count)
        entry.source = UInt16(sources.count - 1)
        entry.line = UInt32(truncatingIfNeeded: line)
        entry.flags = Self.flags(of: name, in: flags)
        entries.append(entry)
        sources[sources.count - 1].signatures += 1
        return UInt32(entries.count - 1)
    }

    private mutating func place(_ name: ByteView, _ bytes: [UInt8]) throws(DataModuleError) -> UInt32 {
        let offset = text.count
        guard offset + name.count + bytes.count <= Int(UInt32.max) else {
            throw DataModuleError("the names of all signatures are longer than 4 GiB")
        }
        text.append(contentsOf: name.buffer)
        text += bytes
        return UInt32(offset)
    }

    /// What a name says about its signature, beside what its file does (the `u` of .ndu, .ldu, .hdu, .mdu).
    ///
    /// By convention `PUA.` begins the names of unwanted applications; the category follows, alone or behind the
    /// platform. Tools that their owner may want are the unsafe ones. The test files are known by name.
    private static func flags(of name: ByteView, in file: UInt32) -> UInt32 {
        if name.hasPrefixIgnoringCase(ByteView("Eicar")) || name.hasPrefix(ByteView("Esets-Test-")) {
            return file | EM_SIGNATURE_TEST
        }
        let isNamed = name.hasPrefixIgnoringCase(ByteView("PUA."))
        guard isNamed || file & EM_SIGNATURE_UNWANTED != 0 else { return file }
        let category = isNamed && isTool(name.dropFirst(4)) ? EM_SIGNATURE_UNSAFE : EM_SIGNATURE_UNWANTED
        return file & ~EM_SIGNATURE_OPTIONAL | category
    }

    /// Categories of tools for other people's machines, passwords and networks.
    private static let tools: [StaticString] = ["Tool", "HackTool", "PwTool", "NetTool", "RAT", "Spy", "Server"]

    /// Whether one of the first two words of a name, without `PUA.`, is such a category.
    private static func isTool(_ name: ByteView) -> Bool {
        var rest = name
        for _ in 0..<2 {
            let end = rest.firstIndex(of: UInt8(ascii: ".")) ?? rest.count
            let word = rest.prefix(end)
            if tools.contains(where: { word.equalsIgnoringCase(ByteView($0)) }) { return true }
            rest = rest.dropFirst(end + 1)
        }
        return false
    }

    /// The sections.
    func finish() -> [DatabaseSection] {
        [
            DatabaseSection(EM_SECTION_CATALOGUE, version: EM_SECTION_VERSION, entries),
            DatabaseSection(EM_SECTION_TEXT, version: EM_SECTION_VERSION, text),
            DatabaseSection(EM_SECTION_SOURCES, version: EM_SECTION_VERSION, sources),
        ]
    }
}
