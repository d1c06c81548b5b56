import Bytes
import CModuleABI
import DataModule
import YARA

/// The YARA rules of a database as they are written. See em_yara_rule.
struct YARATable {
    var rules: [em_yara_rule] = []
    var strings: [em_yara_string] = []
    var variants: [em_yara_variant] = []
    var atoms: [em_yara_atom] = []
    private(set) var nodes: [em_yara_node] = []
    private(set) var lists: [UInt32] = []
    var instructions: [em_yara_instruction] = []
    private var sets: [em_yara_set] = []
    private var names: [em_yara_name] = []
    private var bytes: [UInt8] = []
    private var knownNodes: [Key: UInt32] = [:]
    private var knownSets: [ByteSet: UInt32] = [:]
    private var knownNames: [String: UInt32] = [:]
    private var knownBytes: [[UInt8]: UInt32] = [:]
    private var knownLists: [[UInt32]: UInt32] = [:]

    private struct Key: Hashable {
        let head: UInt32
        let a, b, c: UInt32
    }

    /// Adds a node, or finds an equal one.
    mutating func node(_ kind: UInt32, flags: UInt32 = 0, _ a: UInt32 = 0, _ b: UInt32 = 0, _ c: UInt32 = 0) -> UInt32 {
        let key = Key(head: kind << 16 | flags, a: a, b: b, c: c)
        if let known = knownNodes[key] { return known }
        nodes.append(em_yara_node(kind: UInt16(kind), flags: UInt16(flags), a: a, b: b, c: c))
        knownNodes[key] = UInt32(nodes.count - 1)
        return UInt32(nodes.count - 1)
    }

    mutating func list(_ elements: [UInt32]) -> UInt32 {
        if let known = knownLists[elements] { return known }
        let start = UInt32(lists.count)
        lists += elements
        knownLists[elements] = start
        return start
    }

    mutating func set(_ members: ByteSet) -> UInt32 {
        if let known = knownSets[members] { return known }
        var entry = em_yara_set()
        entry.words = (members.words[0], members.words[1], members.words[2], members.words[3])
        sets.append(entry)
        knownSets[members] = UInt32(sets.count - 1)
        return UInt32(sets.count - 1)
    }

    /// The offset of some bytes.
    mutating func place(_ content: [UInt8]) -> UInt32 {
        if let known = knownBytes[content] { return known }
        let start = UInt32(truncatingIfNeeded: bytes.count)
        bytes += content
        knownBytes[content] = start
        return start
    }

    mutating func name(_ path: String, signature: String) -> UInt32 {
        let key = path + signature
        if let known = knownNames[key] { return known }
        var entry = em_yara_name()
        entry.path = place(Array(path.utf8))
        entry.path_length = UInt32(path.utf8.count)
        entry.signature = place(Array(signature.utf8))
        entry.signature_length = UInt32(signature.utf8.count)
        names.append(entry)
        knownNames[key] = UInt32(names.count - 1)
        return UInt32(names.count - 1)
    }

    /// Adds a program; nil when it is too long.
    mutating func program(_ regex: Regex, isWide: Bool) -> (first: UInt32, count: UInt32, flags: UInt32)? {
        // The sets are collected here, because the program is made inside of a call.
        var found: [ByteSet] = []
        guard
            let program = YARAProgram(
                regex, isWide: isWide,
                set: { members in
                    found.append(members)
                    return UInt32(found.count - 1)
                })
        else { return nil }
        let first = UInt32(instructions.count)
        for var instruction in program.instructions {
            if instruction.kind == UInt8(EM_YARA_SET) { instruction.target = set(found[Int(instruction.target)]) }
            instructions.append(instruction)
        }
        return (first, UInt32(program.instructions.count), program.isGreedy ? EM_YARA_LONGEST : 0)
    }

    func finish() throws(DataModuleError) -> [DatabaseSection] {
        guard !rules.isEmpty else { return [] }
        for count in [nodes.count, lists.count, bytes.count, instructions.count] {
            guard count < Int(Int32.max) else { throw DataModuleError("too many YARA rules") }
        }
        func section<T: BitwiseCopyable & Sendable>(_ id: UInt32, _ elements: [T]) -> DatabaseSection {
            DatabaseSection(id, version: EM_SECTION_VERSION, elements)
        }
        return [
            section(EM_SECTION_YARA, rules), section(EM_SECTION_YARA_STRINGS, strings),
            section(EM_SECTION_YARA_VARIANTS, variants), section(EM_SECTION_YARA_ATOMS, atoms),
            section(EM_SECTION_YARA_NODES, nodes), section(EM_SECTION_YARA_LISTS, lists),
            section(EM_SECTION_YARA_INSTRUCTIONS, instructions), section(EM_SECTION_YARA_SETS, sets),
            section(EM_SECTION_YARA_NAMES, names), section(EM_SECTION_YARA_BYTES, bytes),
        ]
    }
}
