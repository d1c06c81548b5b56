import Bytes
import JSON
import Platform
import Verifier

/// What a code module says of itself, for its target's "custom" object.
enum ModuleFacts {
    /// - Throws: for everything that clients would refuse: data modules, which they compile themselves, and modules
    ///   that nobody signed.
    static func read(_ path: String, name: String) throws(RepositoryError) -> [String: JSONValue] {
        let mapping = try files { () throws(SystemError) in try Mapping(path: path) }
        defer { withExtendedLifetime(mapping) {} }
        do throws(Refusal) {
            let module = try Verifier.verify(ByteView(mapping.bytes), keys: ByteView(), thorough: false)
            guard module.manifest.kind == .code else {
                throw Refusal("kind", "a data module: clients compile it from signatures and rules")
            }
            guard module.notes.isSigned else {
                throw Refusal("signature", "nobody signed it; see esets_mod sign")
            }
            func text(_ bytes: ByteView) -> String { String(decoding: bytes.buffer, as: UTF8.self) }
            let file = text(module.manifest.file)
            guard name == "\(file)_64.dat" else {
                throw Refusal("name", "its file must be called as its manifest says, with _64.dat")
            }
            return [
                "id": .string(text(module.manifest.id)), "module": .string(file),
                "version": .string(text(module.manifest.version)),
            ]
        } catch {
            throw RepositoryError(.source, "\(name): \(String(decoding: error.text, as: UTF8.self))")
        }
    }
}
