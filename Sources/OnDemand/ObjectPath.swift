package import ScanProtocol

/// Names of objects as people read them: `/p/a.zip » ZIP » b/x.class`.
package struct ObjectPath: Sendable {
    private let objects: [UInt64: ObjectInfo]
    private let root: String

    /// - Parameters:
    ///   - verdict: with the objects that findings name.
    ///   - root: name of the object that was scanned.
    package init(_ verdict: ScanVerdict, root: String) {
        objects = Dictionary(verdict.objects.map { ($0.id, $0) }) { first, _ in first }
        self.root = root
    }

    /// The path of an object; the root's name for one that is not known.
    package func text(_ id: UInt64) -> String {
        var steps: [String] = []
        var next = id
        while next != 1, let object = objects[next], steps.count < 2 * objects.count {
            if !object.name.isEmpty { steps.append(object.name) }
            if !object.format.isEmpty { steps.append(object.format) }
            next = object.parent
        }
        return ([root] + steps.reversed()).joined(separator: " » ")
    }
}

/// Text on one line of output.
package enum OutputText {
    /// Control characters and backslashes escaped: a file name can hold anything, and must not add lines.
    package static func line(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A: result += "\\n"
            case 0x0D: result += "\\r"
            case 0x09: result += "\\t"
            case 0x5C: result += "\\\\"
            case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The same in double quotes.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for character in line(text) {
            if character == "\"" { result += "\\" }
            result.append(character)
        }
        return result + "\""
    }
}
