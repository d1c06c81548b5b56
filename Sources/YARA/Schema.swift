/// What the modules offer to conditions: fields, functions and constants, by path.
struct Schema: Sendable {
    enum Entry: Equatable, Sendable {
        case value(ValueType)
        case constant(Int64)
        case object
        case array
        case dictionary
        /// Type strings of the overloads: "b(s)".
        case function([String])
    }

    private(set) var entries: [String: Entry] = [:]

    static let shared = Schema()

    /// Modules that public rules use and that are not there.
    static let missing: Set<String> = ["dotnet", "cuckoo", "magic", "dex", "macho", "lnk", "vt", "androguard"]
    /// Fields and functions that other versions of YARA have.
    static let missingFields: Set<String> = [
        "elf.telfhash", "pe.signatures.verified", "pe.signatures.digest", "pe.signatures.digest_alg",
        "pe.signatures.file_digest", "pe.signatures.number_of_certificates", "pe.signatures.certificates",
        "pe.signatures.signer_info", "pe.signatures.number_of_countersignatures", "pe.signatures.countersignatures",
        "pe.import_details", "pe.delayed_import_details", "pe.import_rva", "pe.delayed_import_rva",
        "elf.import_md5",
    ]
    /// Modules that are.
    static let modules: Set<String> = ["pe", "elf", "hash", "math", "string", "time", "console"]

    subscript(path: String) -> Entry? { entries[path] }

    /// A path of which all but the last part may end in `[]` or `{}`: "pe.sections[].name".
    private init() {
        for module in Self.modules { entries[module] = .object }
        for line in Self.declarations { declare(line) }
        for (name, value) in Self.constants { entries[name] = .constant(value) }
    }

    private mutating func declare(_ line: String) {
        let parts = line.split(separator: " ")
        let text = parts[0]
        if let bracket = text.firstIndex(of: "(") {
            let name = String(text[..<bracket].replacing("[]", with: ""))
            let signature = String(parts[1]) + String(text[bracket...])
            declareContainers(text[..<(text[..<bracket].lastIndex(of: ".") ?? bracket)])
            if case .function(let others)? = entries[name] {
                entries[name] = .function(others + [signature])
            } else {
                entries[name] = .function([signature])
            }
            return
        }
        declareContainers(text)
        let path = String(text.replacing("[]", with: "").replacing("{}", with: ""))
        guard !text.hasSuffix("[]"), !text.hasSuffix("{}") else {
            // An array of plain values: its elements are "path#".
            if parts.count > 1, let type = parts[1].first.flatMap(ValueType.init(letter:)) {
                entries["\(path)#"] = .value(type)
            }
            return
        }
        if let type = parts[1].first.flatMap(ValueType.init(letter:)) { entries[path] = .value(type) }
    }

    /// Declares the objects, arrays and dictionaries on the way to an entry.
    private mutating func declareContainers(_ text: Substring) {
        var path = ""
        for part in text.split(separator: ".") {
            let isArray = part.hasSuffix("[]")
            let isDictionary = part.hasSuffix("{}")
            let name = isArray || isDictionary ? part.dropLast(2) : part
            path = path.isEmpty ? String(name) : path + "." + name
            if isArray {
                entries[path] = .array
            } else if isDictionary {
                entries[path] = .dictionary
            } else if entries[path] == nil {
                entries[path] = .object
            }
        }
    }
}
