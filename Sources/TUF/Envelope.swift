package import JSON

/// A metadata file: what is signed, and the signatures (specification section 4.2).
package struct Envelope: Sendable {
    /// What the file is called in messages.
    package let file: String
    package let signed: JSONValue
    /// What the signatures are over.
    package let canonical: [UInt8]
    /// Signatures by key; one that is not hexadecimal is empty, and wrong.
    package let signatures: [String: [UInt8]]

    package init(_ bytes: [UInt8], file: String, limits: TUFLimits = TUFLimits()) throws(TUFError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(
                parsing: bytes,
                limits: JSONValue.Limits(depth: limits.depth, size: bytes.count, values: limits.values))
        } catch {
            throw TUFError(.malformed, file, error.description)
        }
        guard let signed = value["signed"], case .object = signed, let list = value["signatures"]?.array else {
            throw TUFError(.malformed, file, "no \"signed\" object with \"signatures\"")
        }
        guard list.count <= 4_096 else { throw TUFError(.limit, file, "\(list.count) signatures") }
        var signatures: [String: [UInt8]] = [:]
        for entry in list {
            guard let keyID = entry["keyid"]?.string, let text = entry["sig"]?.string else {
                throw TUFError(.malformed, file, "a signature without \"keyid\" and \"sig\"")
            }
            guard signatures.updateValue(Hexadecimal.bytes(text) ?? [], forKey: keyID) == nil else {
                throw TUFError(.malformed, file, "two signatures of the key \(printable(keyID))")
            }
        }
        guard let canonical = CanonicalJSON.encode(signed) else {
            throw TUFError(.malformed, file, "a number is no 64-bit integer, so the file has no canonical form")
        }
        self.file = file
        self.signed = signed
        self.canonical = canonical
        self.signatures = signatures
    }

    func malformed(_ reason: String) -> TUFError { TUFError(.malformed, file, reason) }
}

/// Text of strangers for messages: short, without control characters.
func printable(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(200).map { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) ? "?" : $0 }
    var result = ""
    result.unicodeScalars.append(contentsOf: scalars)
    return result
}

/// What all roles have (specification section 4.3).
package struct Common: Sendable, Equatable {
    package var version: Int64
    /// Seconds since 1970; from then on the file counts no more.
    package var expires: Int64

    package init(version: Int64, expires: Int64) {
        self.version = version
        self.expires = expires
    }

    init(_ envelope: Envelope, type: String) throws(TUFError) {
        let signed = envelope.signed
        guard let found = signed["_type"]?.string, found == type else {
            throw envelope.malformed(
                "it is of the type \"\(printable(signed["_type"]?.string ?? ""))\", not \"\(type)\"")
        }
        // Any 1.x: what a later one adds is optional (specification section 2).
        guard let specification = signed["spec_version"]?.string, specification.utf8.starts(with: "1.".utf8) else {
            throw envelope.malformed("not of version 1 of the specification")
        }
        guard let version = signed["version"]?.integer, version >= 1 else {
            throw envelope.malformed("no version of at least 1")
        }
        guard let expires = signed["expires"]?.string.flatMap({ MetadataTime.seconds($0) }) else {
            throw envelope.malformed("no time of expiry like 2026-11-21T17:30:00Z")
        }
        self.init(version: version, expires: expires)
    }

    func members(type: String) -> [String: JSONValue] {
        [
            "_type": .string(type), "spec_version": "1.0.31", "version": .integer(version),
            "expires": .string(MetadataTime.text(expires)),
        ]
    }
}
