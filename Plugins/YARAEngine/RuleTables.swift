package import BytesE
import CModuleABI
package import DatabaseSections
import Matching

/// The YARA rules of a database, used where they are mapped. See em_yara_rule.
///
/// Making one reads the section table and the names of functions and fields. It holds no state, so any number of
/// threads may use one; the mapping must outlive it.
package struct RuleTables: @unchecked Sendable {
    let rules, strings, variants, atoms, nodes, lists, instructions, sets: Section
    let bytes: ByteView
    /// What the names of the database stand for.
    let names: [Name]

    /// Names that a database may have.
    private static let nameLimit = 65_536

    /// No rules.
    package init() {
        rules = Section()
        strings = Section()
        variants = Section()
        atoms = Section()
        nodes = Section()
        lists = Section()
        instructions = Section()
        sets = Section()
        bytes = ByteView()
        names = []
    }

    /// - Parameter data: of the em002 module.
    package init(_ data: ByteView) throws(DatabaseError) {
        let table = try SectionTable(data)
        rules = try table.section(EM_SECTION_YARA, element: MemoryLayout<em_yara_rule>.stride)
        strings = try table.section(EM_SECTION_YARA_STRINGS, element: MemoryLayout<em_yara_string>.stride)
        variants = try table.section(EM_SECTION_YARA_VARIANTS, element: MemoryLayout<em_yara_variant>.stride)
        atoms = try table.section(EM_SECTION_YARA_ATOMS, element: MemoryLayout<em_yara_atom>.stride)
        nodes = try table.section(EM_SECTION_YARA_NODES, element: MemoryLayout<em_yara_node>.stride)
        lists = try table.section(EM_SECTION_YARA_LISTS, element: 4)
        instructions = try table.section(
            EM_SECTION_YARA_INSTRUCTIONS, element: MemoryLayout<em_yara_instruction>.stride)
        sets = try table.section(EM_SECTION_YARA_SETS, element: MemoryLayout<em_yara_set>.stride)
        bytes = try table.section(EM_SECTION_YARA_BYTES, element: 1).bytes
        let list = try table.section(EM_SECTION_YARA_NAMES, element: MemoryLayout<em_yara_name>.stride)
        guard list.count <= Self.nameLimit else {
            throw DatabaseError(.damaged, section: EM_SECTION_YARA_NAMES, "too many names")
        }
        var names: [Name] = []
        for index in 0..<list.count {
            guard let entry = list.element(index, as: em_yara_name.self) else { break }
            let path = bytes.slice(Int(entry.path), Int(entry.path) + Int(entry.path_length))
            let signature = bytes.slice(Int(entry.signature), Int(entry.signature) + Int(entry.signature_length))
            names.append(Name(path, signature: signature))
        }
        self.names = names
    }

    /// Whether there are no rules at all.
    package var isEmpty: Bool { rules.count == 0 }

    func node(_ number: UInt32) -> em_yara_node? { nodes.element(Int(number), as: em_yara_node.self) }

    func listed(_ start: UInt32, _ number: Int) -> UInt32? {
        lists.element(Int(start) + number, as: UInt32.self)
    }
}

/// What a name of a rule stands for.
enum Name {
    case field(Field)
    case function(Function)
    /// A function of another module: its path and the letters of its parameters.
    case foreign(ByteView, ByteView)
    /// Nothing that this scanner knows: its value is undefined.
    case none

    init(_ path: ByteView, signature: ByteView) {
        if signature.isEmpty {
            self = Field(path).map { .field($0) } ?? .none
        } else if let function = Function(path) {
            self = .function(function)
        } else {
            // "?(is)": the letters between the brackets.
            self = .foreign(path, signature.slice(2, signature.count - 1))
        }
    }
}
