import Bytes
import CModuleABI

/// A line of the logical format: `name;target description;expression;part;part…`.
///
/// Cisco-Talos/clamav-documentation, LogicalSignatures.
struct LogicalLine {
    let name: ByteView
    let description: TargetDescription
    let expression: LogicalExpression
    let parts: [Subsignature]

    init(_ line: ByteView) throws(LineError) {
        let fields = Self.fields(line)
        guard fields.count >= 4 else { throw .malformed("fewer than four fields") }
        name = try Catalogue.checked(fields[0])
        description = try TargetDescription(fields[1])
        expression = try LogicalExpression(fields[2])
        guard expression.lastPart + 1 == fields.count - 3 else {
            throw .malformed("the expression and the subsignatures differ in number")
        }
        var parts: [Subsignature] = []
        for (number, field) in fields[3...].enumerated() {
            let part = try Subsignature(field, number: number, target: description.target)
            if let last = part.lastReference, last >= number {
                throw .malformed("a subsignature that refers to itself or to a later one")
            }
            parts.append(part)
        }
        self.parts = parts
    }

    /// Semicolons separate fields, except between the slashes of a regular expression.
    private static func fields(_ line: ByteView) -> [ByteView] {
        var fields: [ByteView] = []
        var start = 0
        var inRegex = false
        for i in 0..<line.count {
            // A name may have slashes, a target description has none.
            if line[i] == UInt8(ascii: "/"), fields.count > 2, i == 0 || line[i - 1] != UInt8(ascii: "\\") {
                inRegex.toggle()
            } else if line[i] == UInt8(ascii: ";"), !inRegex {
                fields.append(line.slice(start, i))
                start = i + 1
                // More than the limit of parts is reported by their number.
                if fields.count > 3 + Int(EM_PARTS_LIMIT) { break }
            }
        }
        fields.append(line.slice(start, line.count))
        return fields
    }
}

/// What a logical signature says about the object besides its bytes: `Key:value,Key:value…`.
struct TargetDescription {
    /// EM_TARGET_….
    private(set) var target: UInt8 = 0
    private(set) var conditions: [em_condition] = []
    /// It tells what the object is, and no threat.
    private(set) var retypes = false

    init(_ text: ByteView) throws(LineError) {
        var hasTarget = false
        for field in Self.split(text, UInt8(ascii: ",")) {
            guard let colon = field.firstIndex(of: UInt8(ascii: ":")) else {
                throw .malformed("a target description without ':'")
            }
            let (key, value) = (field.prefix(colon), field.dropFirst(colon + 1))
            if key.equals(ByteView("Target")) {
                guard let number = Number.decimal(value) else { throw .malformed("the target is no number") }
                guard number < UInt64(EM_TARGET_COUNT) else { throw .unsupported("a target above 12") }
                target = UInt8(number)
                hasTarget = true
            } else if key.equals(ByteView("Engine")) {
                try Self.checkLevel(value)
            } else {
                try addCondition(key, value)
            }
        }
        guard hasTarget else { throw .malformed("a target description without 'Target'") }
    }

    /// The container of a description that has nothing else but engine levels; 0: any.
    static func container(of text: ByteView) throws(LineError) -> UInt32 {
        var container = FileTypeName.any
        for field in split(text, UInt8(ascii: ",")) where !field.isEmpty {
            guard let colon = field.firstIndex(of: UInt8(ascii: ":")) else {
                throw .malformed("a target description without ':'")
            }
            let (key, value) = (field.prefix(colon), field.dropFirst(colon + 1))
            if key.equals(ByteView("Engine")) {
                try checkLevel(value)
            } else if key.equals(ByteView("Container")) {
                container = try FileTypeName.code(value)
            } else if !key.equals(ByteView("Target")) {
                throw .unsupported("an unknown key in the target description")
            }
        }
        return container
    }

    private mutating func addCondition(_ key: ByteView, _ value: ByteView) throws(LineError) {
        if key.equals(ByteView("FileSize")) {
            try addRange(EM_CONDITION_SIZE, value)
        } else if key.equals(ByteView("EntryPoint")) {
            try addRange(EM_CONDITION_ENTRY, value)
        } else if key.equals(ByteView("NumberOfSections")) {
            try addRange(EM_CONDITION_SECTIONS, value)
        } else if key.equals(ByteView("Container")) {
            conditions.append(em_condition(kind: EM_CONDITION_CONTAINER, a: try FileTypeName.code(value), b: 0))
        } else if key.equals(ByteView("Intermediates")) {
            let types = Self.split(value, UInt8(ascii: ">"))
            guard types.count <= 16 else { throw .malformed("more than 16 intermediates") }
            // The last one is the immediate container. ClamAV counts parents upwards without those that may be any.
            var parent: UInt32 = 1
            for type in types.reversed() {
                let code = try FileTypeName.code(type)
                if code == FileTypeName.any { continue }
                conditions.append(em_condition(kind: EM_CONDITION_INTERMEDIATES, a: code, b: parent))
                parent += 1
            }
            conditions.append(em_condition(kind: EM_CONDITION_DEPTH, a: UInt32(types.count), b: .max))
        } else if key.equals(ByteView("IconGroup1")) || key.equals(ByteView("IconGroup2")) {
            let group = try IconLine.group(value)
            let isFirst = key[key.count - 1] == UInt8(ascii: "1")
            // One condition for both, so that one icon must be in both.
            if let index = conditions.firstIndex(where: { $0.kind == EM_CONDITION_ICON_GROUPS }) {
                if isFirst { conditions[index].a = group } else { conditions[index].b = group }
            } else {
                conditions.append(
                    em_condition(kind: EM_CONDITION_ICON_GROUPS, a: isFirst ? group : 0, b: isFirst ? 0 : group))
            }
        } else if key.equals(ByteView("HandlerType")) {
            guard !retypes else { throw .malformed("two types that the object is matched as") }
            retypes = true
            conditions.append(em_condition(kind: EM_CONDITION_RETYPE, a: try Self.handler(value), b: 0))
        } else {
            throw .unsupported("an unknown key in the target description")
        }
    }

    private mutating func addRange(_ kind: UInt32, _ value: ByteView) throws(LineError) {
        let (low, high) = try Self.range(value)
        conditions.append(em_condition(kind: kind, a: UInt32(clamping: low), b: UInt32(clamping: high)))
    }

    /// EM_TYPE_… of an object that is matched as another type, too.
    private static func handler(_ name: ByteView) throws(LineError) -> UInt32 {
        // What containers are is no business of file type lines: who can open them tells them.
        name.equals(ByteView("CL_TYPE_ZIP")) ? EM_TYPE_ZIP : try FileTypeLine.type(name)
    }

    private static func range(_ value: ByteView) throws(LineError) -> (UInt64, UInt64) {
        guard let dash = value.firstIndex(of: UInt8(ascii: "-")), let low = Number.decimal(value.prefix(dash)),
            let high = Number.decimal(value.dropFirst(dash + 1))
        else { throw .malformed("a range in the target description that is none") }
        return (low, high)
    }

    private static func checkLevel(_ value: ByteView) throws(LineError) {
        let (low, high) = try range(value)
        if low > SignatureCompiler.level { throw .unsupported("for a newer engine") }
        if high < SignatureCompiler.level { throw .unsupported("for an older engine") }
    }

    private static func split(_ text: ByteView, _ separator: UInt8) -> [ByteView] {
        var result: [ByteView] = []
        var start = 0
        while let end = text.firstIndex(of: separator, from: start) {
            result.append(text.slice(start, end))
            start = end + 1
        }
        result.append(text.dropFirst(start))
        return result
    }
}

/// Names of file types as ClamAV's signatures have them, as numbers: the FNV-1a hash of the name.
enum FileTypeName {
    /// CL_TYPE_ANY: no container at all for `Container`, any for `Intermediates`.
    static let any: UInt32 = 0

    static func code(_ name: ByteView) throws(LineError) -> UInt32 {
        guard name.hasPrefix(ByteView("CL_TYPE_")) else { throw .unsupported("an unknown file type") }
        if name.equals(ByteView("CL_TYPE_ANY")) { return any }
        var hash: UInt32 = 0x811c_9dc5
        for byte in name.buffer { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return hash
    }
}
