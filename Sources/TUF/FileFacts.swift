import JSON

/// Hashes of a file.
package struct Hashes: Sendable, Equatable {
    package var sha256: [UInt8]?
    package var sha512: [UInt8]?
    /// Those by algorithms that we do not know, which count for nothing.
    private var others: [String: String] = [:]

    package init(sha256: [UInt8]? = nil, sha512: [UInt8]? = nil) {
        self.sha256 = sha256
        self.sha512 = sha512
    }

    /// nil when there is none at all, or one that cannot be.
    init?(_ json: JSONValue) {
        guard let members = json.object, !members.isEmpty else { return nil }
        for (name, value) in members {
            guard let text = value.string else { return nil }
            switch name {
            case "sha256":
                guard let bytes = Hexadecimal.bytes(text), bytes.count == 32 else { return nil }
                sha256 = bytes
            case "sha512":
                guard let bytes = Hexadecimal.bytes(text), bytes.count == 64 else { return nil }
                sha512 = bytes
            default: others[name] = text
            }
        }
    }

    var json: JSONValue {
        var members = others.mapValues { JSONValue.string($0) }
        if let sha256 { members["sha256"] = .string(Hexadecimal.text(sha256)) }
        if let sha512 { members["sha512"] = .string(Hexadecimal.text(sha512)) }
        return .object(members)
    }

    /// Without one that we know nothing can be checked.
    package var isEmpty: Bool { sha256 == nil && sha512 == nil }

    func match(_ bytes: [UInt8]) -> Bool {
        guard !isEmpty else { return false }
        if let sha256, sha256 != SHA2.sha256(bytes) { return false }
        if let sha512, sha512 != SHA2.sha512(bytes) { return false }
        return true
    }
}

/// What snapshot and timestamp say about a metadata file (METAFILES of the specification).
package struct FileFacts: Sendable, Equatable {
    package var version: Int64
    package var length: Int?
    package var hashes: Hashes?

    package init(version: Int64, length: Int? = nil, hashes: Hashes? = nil) {
        self.version = version
        self.length = length
        self.hashes = hashes
    }

    init?(_ json: JSONValue) {
        guard let version = json["version"]?.integer, version >= 1 else { return nil }
        self.version = version
        if let value = json["length"] {
            guard let length = value.integer, length >= 0 else { return nil }
            self.length = Int(length)
        }
        if let value = json["hashes"] {
            guard let hashes = Hashes(value) else { return nil }
            self.hashes = hashes
        }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["version": .integer(version)]
        if let length { members["length"] = .integer(Int64(length)) }
        if let hashes { members["hashes"] = hashes.json }
        return .object(members)
    }

    /// Checks what can be checked before a file is parsed.
    func check(_ bytes: [UInt8], file: String, by source: String) throws(TUFError) {
        if let length, length != bytes.count {
            throw TUFError(.content, file, "\(bytes.count) bytes, where \(source) says \(length)")
        }
        if let hashes, !hashes.match(bytes) {
            throw TUFError(.content, file, "another hash than \(source) says")
        }
    }
}
