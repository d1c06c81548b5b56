import CModuleABI
import YARA

/// Compiles regular expressions and hex strings to programs. See em_yara_instruction.
struct YARAProgram {
    private(set) var instructions: [em_yara_instruction] = []
    /// Whether the longest match counts: there is a greedy repetition.
    private(set) var isGreedy = false
    private let isWide: Bool
    private let ignoresCase: Bool
    private let set: (ByteSet) -> UInt32
    private var isTooLong = false

    /// Instructions of one program: each may be looked at for each byte.
    private static let limit = 32_768

    /// - Parameter set: the number of a set in the database.
    /// - Returns: nil when the program would be too long.
    init?(_ regex: Regex, isWide: Bool, set: @escaping (ByteSet) -> UInt32) {
        self.isWide = isWide
        self.set = set
        ignoresCase = regex.ignoresCase
        emit(regex.root)
        add(EM_YARA_ACCEPT)
        if isTooLong { return nil }
    }

    private mutating func add(_ kind: UInt32, value: UInt8 = 0, mask: UInt8 = 0, target: Int = 0) {
        guard instructions.count < Self.limit else {
            isTooLong = true
            return
        }
        instructions.append(
            em_yara_instruction(kind: UInt8(kind), value: value, mask: mask, reserved: 0, target: UInt32(target)))
    }

    /// Letters of two bytes end with a zero.
    private mutating func endLetter() {
        if isWide { add(EM_YARA_BYTE, value: 0) }
    }

    private mutating func emit(_ node: Regex.Node) {
        guard !isTooLong else { return }
        switch node {
        case .empty: return
        case .byte(let byte):
            if ignoresCase, (byte | 0x20) &- 0x61 < 26 {
                // Both cases differ in one bit.
                add(EM_YARA_MASKED, value: byte & ~0x20, mask: ~0x20)
            } else {
                add(EM_YARA_BYTE, value: byte)
            }
            endLetter()
        case .masked(let value, let mask):
            add(EM_YARA_MASKED, value: value, mask: mask)
            endLetter()
        case .set(let members):
            let folded = ignoresCase ? members.caseFolded : members
            if folded == .all { add(EM_YARA_ANY) } else { add(EM_YARA_SET, target: Int(set(folded))) }
            endLetter()
        case .sequence(let parts): for part in parts { emit(part) }
        case .alternation(let branches): emit(branches[...])
        case .repetition(let inner, let least, let most, let greedy): repeated(inner, least, most, greedy)
        case .start: add(EM_YARA_START)
        case .end: add(EM_YARA_END)
        case .boundary: add(EM_YARA_BOUNDARY, value: isWide ? 1 : 0)
        case .notBoundary: add(EM_YARA_NOT_BOUNDARY, value: isWide ? 1 : 0)
        }
    }

    private mutating func emit(_ branches: ArraySlice<Regex.Node>) {
        var jumps: [Int] = []
        for (index, branch) in branches.enumerated() {
            guard index < branches.count - 1 else {
                emit(branch)
                break
            }
            let split = instructions.count
            add(EM_YARA_SPLIT)
            emit(branch)
            jumps.append(instructions.count)
            add(EM_YARA_JUMP)
            setTarget(split, instructions.count)
        }
        for jump in jumps { setTarget(jump, instructions.count) }
    }

    private mutating func setTarget(_ index: Int, _ target: Int) {
        guard index < instructions.count else { return }
        instructions[index].target = UInt32(target)
    }

    private mutating func repeated(_ inner: Regex.Node, _ least: Int, _ most: Int?, _ greedy: Bool) {
        if greedy, most != least { isGreedy = true }
        // A loop over what may be empty goes round once only: the machine holds each instruction once.
        for _ in 0..<least {
            emit(inner)
            if isTooLong { return }
        }
        guard let most else {
            let split = instructions.count
            add(EM_YARA_SPLIT, value: greedy ? 0 : 1)
            emit(inner)
            add(EM_YARA_JUMP, target: split)
            setTarget(split, instructions.count)
            return
        }
        var splits: [Int] = []
        for _ in least..<max(least, most) {
            splits.append(instructions.count)
            add(EM_YARA_SPLIT, value: greedy ? 0 : 1)
            emit(inner)
            if isTooLong { return }
        }
        for split in splits { setTarget(split, instructions.count) }
    }
}
