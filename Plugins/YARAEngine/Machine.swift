import BytesE
import CModuleABI
import DatabaseSections
import Matching

/// Runs programs: all alternatives at once, so that no input makes it slow. Reused from run to run.
final class Machine {
    private let tables: RuleTables
    /// Instructions at hand and those for the next byte, in order of preference.
    private var current: [UInt32] = []
    private var next: [UInt32] = []
    private var pending: [UInt32] = []
    /// The step at which an instruction was entered last.
    private var marks: [UInt32] = []
    private var step: UInt32 = 0
    /// Instructions looked at since `work` was asked.
    private var spent = 0

    /// Bytes that a match of a program with loops can have.
    private static let reach = 4096

    init(_ tables: RuleTables) {
        self.tables = tables
    }

    /// Instructions that were looked at since the last call.
    func takeWork() -> Int {
        defer { spent = 0 }
        return spent
    }

    /// The end of the match that begins at a place, or nil.
    ///
    /// - Parameter accept: whether an end will do.
    func run(_ program: Program, _ data: ByteView, at start: Int, accept: (Int) -> Bool) -> Int? {
        guard Int(program.first) + Int(program.count) <= tables.instructions.count, program.count > 0 else {
            return nil
        }
        if marks.count < Int(program.count) { marks = [UInt32](repeating: 0, count: max(256, Int(program.count))) }
        var end: Int?
        let longest = program.flags & EM_YARA_LONGEST != 0
        let limit = min(data.count, start + max(Self.reach, Int(program.count)))
        current.removeAll(keepingCapacity: true)
        beginStep()
        enter(0, program, data, start, into: false)
        var position = start
        while !current.isEmpty {
            next.removeAll(keepingCapacity: true)
            beginStep()
            let byte: UInt8? = position < limit ? data[position] : nil
            spent += current.count
            for index in 0..<current.count {
                guard let instruction = instruction(current[index], program) else { continue }
                if instruction.kind == UInt8(EM_YARA_ACCEPT) {
                    guard position > start, accept(position) else { continue }
                    end = position
                    // The others are second choices.
                    if !longest { break }
                    continue
                }
                guard let byte, matches(instruction, byte) else { continue }
                enter(current[index] + 1, program, data, position + 1, into: true)
            }
            guard byte != nil else { break }
            swap(&current, &next)
            position += 1
        }
        return end
    }

    /// Whether a program matches anywhere in a text.
    func finds(_ program: Program, in text: ByteView) -> Bool {
        for start in 0...text.count where run(program, text, at: start, accept: { _ in true }) != nil { return true }
        return false
    }

    /// The bytes with which a match can begin.
    func firstBytes(_ program: Program) -> em_yara_set {
        var result = em_yara_set()
        if marks.count < Int(program.count) { marks = [UInt32](repeating: 0, count: max(256, Int(program.count))) }
        current.removeAll(keepingCapacity: true)
        beginStep()
        // Assertions are let through: what follows them is possible.
        pending.removeAll(keepingCapacity: true)
        pending.append(0)
        while let number = pending.popLast() {
            guard number < program.count, marks[Int(number)] != step, let instruction = instruction(number, program)
            else { continue }
            marks[Int(number)] = step
            switch UInt32(instruction.kind) {
            case EM_YARA_SPLIT:
                pending.append(instruction.target)
                pending.append(number + 1)
            case EM_YARA_JUMP: pending.append(instruction.target)
            case EM_YARA_START, EM_YARA_END, EM_YARA_BOUNDARY, EM_YARA_NOT_BOUNDARY: pending.append(number + 1)
            case EM_YARA_ACCEPT: break
            default:
                for byte in UInt8(0)...255 where matches(instruction, byte) {
                    switch byte >> 6 {
                    case 0: result.words.0 |= 1 << UInt64(byte & 63)
                    case 1: result.words.1 |= 1 << UInt64(byte & 63)
                    case 2: result.words.2 |= 1 << UInt64(byte & 63)
                    default: result.words.3 |= 1 << UInt64(byte & 63)
                    }
                }
            }
        }
        return result
    }

    private func beginStep() {
        step &+= 1
        if step == 0 {
            for index in marks.indices { marks[index] = 0 }
            step = 1
        }
    }

    private func instruction(_ number: UInt32, _ program: Program) -> em_yara_instruction? {
        number < program.count
            ? tables.instructions.element(Int(program.first + number), as: em_yara_instruction.self) : nil
    }

    private func matches(_ instruction: em_yara_instruction, _ byte: UInt8) -> Bool {
        switch UInt32(instruction.kind) {
        case EM_YARA_BYTE: return byte == instruction.value
        case EM_YARA_MASKED: return byte & instruction.mask == instruction.value
        case EM_YARA_ANY: return true
        case EM_YARA_SET:
            guard let set = tables.sets.element(Int(instruction.target), as: em_yara_set.self) else { return false }
            return set.contains(byte)
        default: return false
        }
    }

    /// Follows instructions that read no byte.
    private func enter(_ number: UInt32, _ program: Program, _ data: ByteView, _ position: Int, into isNext: Bool) {
        pending.removeAll(keepingCapacity: true)
        pending.append(number)
        while let number = pending.popLast() {
            guard number < program.count, marks[Int(number)] != step, let instruction = instruction(number, program)
            else { continue }
            marks[Int(number)] = step
            spent += 1
            switch UInt32(instruction.kind) {
            case EM_YARA_JUMP: pending.append(instruction.target)
            case EM_YARA_SPLIT:
                // The last one in comes out first.
                if instruction.value == 0 {
                    pending.append(instruction.target)
                    pending.append(number + 1)
                } else {
                    pending.append(number + 1)
                    pending.append(instruction.target)
                }
            case EM_YARA_START: if position == 0 { pending.append(number + 1) }
            case EM_YARA_END: if position == data.count { pending.append(number + 1) }
            case EM_YARA_BOUNDARY, EM_YARA_NOT_BOUNDARY:
                let isBoundary = isBoundary(data, position, isWide: instruction.value == 1)
                if isBoundary == (instruction.kind == UInt8(EM_YARA_BOUNDARY)) { pending.append(number + 1) }
            default: if isNext { next.append(number) } else { current.append(number) }
            }
        }
    }

    private func isBoundary(_ data: ByteView, _ position: Int, isWide: Bool) -> Bool {
        func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == 0x5f }
        if isWide {
            let before = position >= 2 && data[position - 1] == 0 && isWord(data[position - 2])
            let after = position + 1 < data.count && data[position + 1] == 0 && isWord(data[position])
            return before != after
        }
        let before = position >= 1 && isWord(data[position - 1])
        let after = position < data.count && isWord(data[position])
        return before != after
    }
}

extension em_yara_set {
    func contains(_ byte: UInt8) -> Bool {
        let word: UInt64
        switch byte >> 6 {
        case 0: word = words.0
        case 1: word = words.1
        case 2: word = words.2
        default: word = words.3
        }
        return word >> UInt64(byte & 63) & 1 != 0
    }
}

func isAlphanumeric(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 }
