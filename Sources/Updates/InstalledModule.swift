import Bytes
import CModuleABI
import Platform
import Verifier

/// What an installed module says about itself.
package struct InstalledModule: Sendable {
    package let version: String
    /// The digest of the sources it was compiled from; nil for code.
    package let sources: String?
    /// Version of the database; 0 for code.
    package let databaseVersion: UInt64

    /// nil when there is no module at the path, or none that can be used.
    package init?(path: String) {
        guard let mapping = try? Mapping(path: path),
            let verified = try? Verifier.verify(ByteView(mapping.bytes), keys: ByteView(), thorough: false)
        else { return nil }
        version = String(decoding: verified.manifest.version.buffer, as: UTF8.self)
        let description = verified.manifest.value("description").map { String(decoding: $0.buffer, as: UTF8.self) }
        sources = description.flatMap {
            $0.hasPrefix(ModuleCompiler.sourcesMark) ? String($0.dropFirst(ModuleCompiler.sourcesMark.count)) : nil
        }
        if let data = verified.data, data.count >= MemoryLayout<em_database_header>.size,
            let base = data.buffer.baseAddress
        {
            databaseVersion = UnsafeRawPointer(base).loadUnaligned(as: em_database_header.self).version
        } else {
            databaseVersion = 0
        }
    }
}
