import Bytes
import CModuleABI
import JSON
import Platform
import Verifier

/// What can be said about a module file without running it.
struct ModuleDescription {
    let name: String
    let size: Int
    let id: String
    let version: String
    let isData: Bool
    let isSigned: Bool
    let verified: Verifier.Verified
    /// What `verified` points into.
    private let mapping: Mapping

    /// Checks the structure; the signature is another matter.
    init(name: String, _ mapping: Mapping) throws(Refusal) {
        verified = try Verifier.verify(ByteView(mapping.bytes), keys: ByteView(), thorough: false)
        self.mapping = mapping
        self.name = name
        size = mapping.bytes.count
        id = text(verified.manifest.id)
        version = text(verified.manifest.version)
        isData = verified.manifest.kind == .data
        isSigned = verified.notes.isSigned
    }

    /// The header of a database, for data modules.
    var database: em_database_header? {
        guard let data = verified.data, data.count >= MemoryLayout<em_database_header>.size,
            let base = data.buffer.baseAddress
        else { return nil }
        let header = UnsafeRawPointer(base).loadUnaligned(as: em_database_header.self)
        return header.magic == EM_DATABASE_MAGIC ? header : nil
    }

    func json(formats: [String] = []) -> JSONValue {
        var members: [String: JSONValue] = [
            "file": .string(name), "id": .string(id), "version": .string(version),
            "kind": .string(isData ? "data" : "code"), "size": .integer(Int64(size)), "signed": .bool(isSigned),
        ]
        if let database {
            members["database_version"] = .integer(Int64(clamping: database.version))
            members["signatures"] = .integer(Int64(clamping: database.signatures))
        }
        if !formats.isEmpty { members["formats"] = .array(formats.map { .string($0) }) }
        return .object(members)
    }
}

/// Bytes for people.
func text(_ bytes: ByteView) -> String { String(decoding: bytes.buffer, as: UTF8.self) }

/// The text of a refusal: "check: reason".
func text(_ refusal: Refusal) -> String { String(decoding: refusal.text, as: UTF8.self) }
