import DataModule
import Platform
package import SignatureCompiler
import SpamCompiler

/// Compiles the data modules from the mirror. It runs in a process of its own that can write to one directory alone.
package enum ModuleCompiler {
    /// Rises whenever the compilers make other bytes of the same sources.
    package static let version = 4

    /// The first words of a data module's description, before the digest of its sources.
    package static let sourcesMark = "sources "

    /// Compiles em002 into a file.
    ///
    /// - Parameters:
    ///   - version: of the database, rising.
    ///   - digest: of the sources; written into the module, so that the next update knows whether they changed.
    ///   - certificates: a directory with certificates of those who may sign containers.
    package static func compileSignatures(
        _ mirror: MirrorDirectory, version: UInt64, digest: String, certificates: String? = nil, to path: String
    ) throws(UpdateError) -> CompileReport {
        let sources = SignatureSources(temporary: Files.parent(of: path))
        if let certificates { try sources.trust(certificates: certificates) }
        for source in try mirror.sources(.signatures) {
            try sources.add(source.path, as: source.name, formats: source.formats)
        }
        // Without what it holds, detection would be lost in silence.
        if let refused = try sources.unpack().first {
            throw UpdateError(.sources, "\(refused.file): refused: \(refused.reason)")
        }
        do throws(DataModuleError) {
            var files = sources.files
            // Without any source the database stays empty.
            if !files.isEmpty, let test = TestSignature.missing(from: files) { files.append(test) }
            let (database, report) = try SignatureCompiler.compile(files, version: version)
            try DataModule.write(
                database,
                manifest: DataManifest(
                    id: "em002.signatures", file: "em002", version: String(version),
                    description: sourcesMark + digest),
                to: path)
            withExtendedLifetime(sources) {}
            return report
        } catch {
            throw UpdateError(error)
        }
    }

    /// Compiles em006 into a file; returns what was not used, for people.
    package static func compileAntispam(
        _ mirror: MirrorDirectory, version: UInt64, digest: String, to path: String
    ) throws(UpdateError) -> [String] {
        var sources = AntispamSources()
        do throws(SpamCompilerError) {
            if Files.exists(mirror.antispam) { try sources.add(directory: mirror.antispam) }
            for file in mirror.state.files(.antispam) {
                try sources.add(file: "\(mirror.path)/\(file.path)", as: file.name)
            }
        } catch {
            throw UpdateError(error)
        }
        do throws(DataModuleError) {
            try DataModule.write(
                AntispamCompiler.compile(rules: sources.rules, statistics: sources.statistics, version: version),
                manifest: DataManifest(
                    id: "em006.antispam", file: "em006", version: String(version), description: sourcesMark + digest),
                to: path)
            return sources.unused
        } catch {
            throw UpdateError(error)
        }
    }
}
