package import BytesE
package import CModuleABI
import DatabaseSections
import Executables
package import Matching

/// Decides whether YARA rules are true of an object. Used by one scan at a time, reused from object to object.
///
/// Work, nesting and the number of matches are limited; what a limit stops is told by `isOverLimit`, so that it is
/// never taken for "not true".
package final class Evaluator {
    let tables: RuleTables
    let matches: StringMatches
    private(set) var object = ByteView()
    private(set) var facts = Facts()
    /// Programs are read when a rule asks for the first time.
    var programs: ProgramFacts
    /// Variables of the loops under way.
    private var variables: [Value] = []
    private var base = 0
    /// Of rules that were decided already.
    private var decided: [UInt32] = []
    private var decisions: [Bool] = []
    private var depth = 0
    /// Texts that functions made.
    var texts = TextStore()
    private var check: () -> Bool = { true }
    private var untilCheck = 0
    private(set) package var isCancelled = false
    private var isDamaged = false

    private static let depthLimit = 512
    /// Work allowed for any object, and for each of its bytes.
    private static let workFloor = 20_000_000
    private static let workPerByte = 64
    private static let checkInterval = 65_536

    /// What the scan knows about an object besides its bytes.
    package struct Facts {
        /// The object's name without folders, and with them.
        package var name = ByteView()
        package var path = ByteView()
        /// What it is: "PE", "ELF" …
        package var type = ByteView()
        /// Seconds since 1970.
        package var now: Int64 = 0
        /// For functions of other modules: em_scan and em_object.
        package var scan: OpaquePointer?
        package var subject: UnsafeRawPointer?

        package init() {}
    }

    /// Functions of other modules, by the index of their name; looked up when they are called first.
    private var foreign: [(name: Int, function: ForeignFunction?)] = []
    private let findForeign: (ByteView, ByteView) -> ForeignFunction?

    /// - Parameter foreign: looks a function of another module up by its path and the letters of its parameters.
    package init(
        _ tables: RuleTables, foreign: @escaping (ByteView, ByteView) -> ForeignFunction? = { _, _ in nil }
    ) {
        self.tables = tables
        findForeign = foreign
        matches = StringMatches(tables)
        programs = ProgramFacts(ByteView())
    }

    /// Begins with an object.
    package func begin(_ object: ByteView, facts: Facts, hits: Hits, check: @escaping () -> Bool) {
        self.object = object
        self.facts = facts
        self.check = check
        let (product, overflow) = object.count.multipliedReportingOverflow(by: Self.workPerByte)
        matches.begin(object, hits, budget: overflow ? Int.max : max(Self.workFloor, product))
        programs = ProgramFacts(object)
        decided.removeAll(keepingCapacity: true)
        decisions.removeAll(keepingCapacity: true)
        variables.removeAll(keepingCapacity: true)
        texts.removeAll()
        depth = 0
        base = 0
        isCancelled = false
        isDamaged = false
        untilCheck = Self.checkInterval
    }

    /// Forgets the object.
    package func end() {
        texts.removeAll()
        programs = ProgramFacts(ByteView())
        object = ByteView()
        facts = Facts()
        check = { true }
    }

    /// Something was not looked at: the object is to be called "not scanned" unless another rule is true.
    package var isOverLimit: Bool { matches.isOverLimit }
    /// The database contradicts itself.
    package var isBroken: Bool { isDamaged || matches.isDamaged }

    /// Whether the rule that an em_rule names is true.
    package func isTrue(_ rule: em_rule) -> Bool { isTrue(rule.first_operation) }

    func isTrue(_ number: UInt32) -> Bool {
        for index in decided.indices.reversed() where decided[index] == number { return decisions[index] }
        guard let rule = tables.rules.element(Int(number), as: em_yara_rule.self), rule.variables <= 64 else {
            isDamaged = true
            return false
        }
        let outer = base
        base = variables.count
        for _ in 0..<rule.variables { variables.append(.undefined) }
        let result = value(rule.condition).isTrue
        variables.removeLast(variables.count - base)
        base = outer
        // Only rules that others may ask for are worth keeping; the list is short.
        if depth > 0, decided.count < 4096 {
            decided.append(number)
            decisions.append(result)
        }
        return result
    }

    /// Takes work off the allowance; false when nothing more may be done.
    func spend(_ amount: Int) -> Bool {
        untilCheck -= amount
        if untilCheck < 0 {
            untilCheck = Self.checkInterval
            if !check() { isCancelled = true }
        }
        return matches.spend(amount) && !isCancelled
    }

    // MARK: - Nodes

    func value(_ number: UInt32) -> Value {
        guard depth < Self.depthLimit, let node = tables.node(number) else {
            isDamaged = true
            return .undefined
        }
        guard spend(1) else { return .undefined }
        depth += 1
        defer { depth -= 1 }
        switch UInt32(node.kind) {
        case EM_YARA_NODE_BOOLEAN: return .boolean(node.a != 0)
        case EM_YARA_NODE_INTEGER: return .integer(Int64(bitPattern: bits(node)))
        case EM_YARA_NODE_DOUBLE: return .double(Double(bitPattern: bits(node)))
        case EM_YARA_NODE_TEXT: return .text(tables.bytes.slice(Int(node.a), Int(node.a) + Int(node.b)))
        case EM_YARA_NODE_REGEX:
            return .regex(Program(first: node.a, count: node.b, flags: UInt32(node.flags)))
        case EM_YARA_NODE_FILESIZE: return .integer(Int64(object.count))
        case EM_YARA_NODE_ENTRYPOINT:
            // The old keyword knows programs for x86 only.
            if let file = programs.pe, file.header.machine != 0x14c, file.header.machine != 0x8664 { return .undefined }
            return programs.entryPoint.map { .integer($0) } ?? .undefined
        case EM_YARA_NODE_EXTERNAL: return external(tables.bytes.slice(Int(node.a), Int(node.a) + Int(node.b)))
        case EM_YARA_NODE_VARIABLE: return loopVariable(node.a)
        case EM_YARA_NODE_NEGATE:
            switch value(node.a) {
            case .integer(let operand): return .integer(0 &- operand)
            case .double(let operand): return .double(-operand)
            default: return .undefined
            }
        case EM_YARA_NODE_COMPLEMENT: return value(node.a).integer.map { .integer(~$0) } ?? .undefined
        case EM_YARA_NODE_NOT:
            let operand = value(node.a)
            return operand.isDefined ? .boolean(!operand.isTrue) : .undefined
        case EM_YARA_NODE_DEFINED: return .boolean(value(node.a).isDefined)
        case EM_YARA_NODE_AND, EM_YARA_NODE_OR:
            let decides = node.kind == UInt16(EM_YARA_NODE_OR)
            for index in 0..<Int(node.b) {
                guard let part = listed(node.a, index) else { return .undefined }
                if value(part).isTrue == decides { return .boolean(decides) }
            }
            return .boolean(!decides)
        case EM_YARA_NODE_READ: return read(node)
        case EM_YARA_NODE_FIELD: return field(node)
        case EM_YARA_NODE_CALL: return call(node)
        case EM_YARA_NODE_RULE: return .boolean(isTrue(node.a))
        case EM_YARA_NODE_FOUND...EM_YARA_NODE_LENGTH: return ofString(node)
        case EM_YARA_NODE_STRINGS_OF...EM_YARA_NODE_FOR_LIST: return quantified(node)
        default: return binary(node)
        }
    }

    func listed(_ start: UInt32, _ index: Int) -> UInt32? {
        guard let element = tables.listed(start, index) else {
            isDamaged = true
            return nil
        }
        return element
    }

    private func bits(_ node: em_yara_node) -> UInt64 { UInt64(node.b) << 32 | UInt64(node.a) }

    func loopVariable(_ number: UInt32) -> Value {
        let index = base + Int(number)
        guard index < variables.count else {
            isDamaged = true
            return .undefined
        }
        return variables[index]
    }

    func setVariable(_ number: UInt32, _ value: Value) {
        let index = base + Int(number)
        guard index < variables.count else {
            isDamaged = true
            return
        }
        variables[index] = value
    }

    private func external(_ name: ByteView) -> Value {
        if name.equals(ByteView("filename")) || name.equals(ByteView("file_name")) { return .text(facts.name) }
        if name.equals(ByteView("filepath")) || name.equals(ByteView("file_path")) { return .text(facts.path) }
        if name.equals(ByteView("filetype")) || name.equals(ByteView("file_type")) { return .text(facts.type) }
        guard name.equals(ByteView("extension")) else { return .text(ByteView()) }
        var at = facts.name.count
        while at > 0 {
            at -= 1
            if facts.name[at] == UInt8(ascii: ".") { return .text(facts.name.dropFirst(at)) }
        }
        return .text(ByteView())
    }

    private func read(_ node: em_yara_node) -> Value {
        guard let offset = value(node.a).integer, let at = Int(exactly: offset), at >= 0 else { return .undefined }
        let isBig = node.flags & UInt16(EM_YARA_BIG) != 0
        let isSigned = node.flags & UInt16(EM_YARA_SIGNED) != 0
        switch node.b {
        case 1:
            guard let byte = object.load(UInt8.self, at: at) else { return .undefined }
            return .integer(isSigned ? Int64(Int8(bitPattern: byte)) : Int64(byte))
        case 2:
            guard let half = isBig ? object.loadBigEndian(UInt16.self, at: at) : object.load(UInt16.self, at: at) else {
                return .undefined
            }
            return .integer(isSigned ? Int64(Int16(bitPattern: half)) : Int64(half))
        case 4:
            guard let word = isBig ? object.loadBigEndian(UInt32.self, at: at) : object.load(UInt32.self, at: at) else {
                return .undefined
            }
            return .integer(isSigned ? Int64(Int32(bitPattern: word)) : Int64(word))
        default:
            isDamaged = true
            return .undefined
        }
    }

    private func field(_ node: em_yara_node) -> Value {
        guard Int(node.a) < tables.names.count, case .field(let field) = tables.names[Int(node.a)] else {
            return .undefined
        }
        var indexes: (Value, Value) = (.undefined, .undefined)
        if node.c > 0, let first = listed(node.b, 0) { indexes.0 = value(first) }
        if node.c > 1, let second = listed(node.b, 1) { indexes.1 = value(second) }
        return moduleField(field, indexes.0)
    }

    private func foreignFunction(_ name: Int, _ path: ByteView, _ parameters: ByteView) -> ForeignFunction? {
        for known in foreign where known.name == name { return known.function }
        let function = findForeign(path, parameters)
        foreign.append((name, function))
        return function
    }

    private func call(_ node: em_yara_node) -> Value {
        guard Int(node.a) < tables.names.count, node.c <= 16 else { return .undefined }
        var arguments: [Value] = []
        for index in 0..<Int(node.c) {
            guard let argument = listed(node.b, index) else { return .undefined }
            let evaluated = value(argument)
            // An argument that is undefined makes the result so.
            guard evaluated.isDefined else { return .undefined }
            arguments.append(evaluated)
        }
        switch tables.names[Int(node.a)] {
        case .function(let function): return moduleFunction(function, arguments)
        case .foreign(let path, let parameters):
            return foreignFunction(Int(node.a), path, parameters)?.call(arguments, self) ?? .undefined
        case .field, .none: return .undefined
        }
    }
}
