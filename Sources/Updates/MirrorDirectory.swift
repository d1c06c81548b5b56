import CCrypto
import Generations
import Glibc
import Platform

/// What the second stage of an update compiles from (guide 8.2): the local mirror.
///
///     mirror/modules/em000_64.dat …   signed code modules
///     mirror/signatures/*             signature files, by ClamAV's file types
///     mirror/antispam/*               rules, learned tokens, training messages
///     mirror/metadata, targets        the update repository, as its servers have it
///     mirror/upstreams/NAME/*         files of other upstreams
///
/// The first three belong to the administrator; which files of the others count is what the state says.
package struct MirrorDirectory: Sendable {
    package let path: String
    /// What upstreams brought.
    package let state: SourceState

    package init(_ path: String, state: SourceState = SourceState()) {
        self.path = path
        self.state = state
    }

    /// Something to compile from.
    package struct Source: Sendable, Equatable {
        /// For messages, and the order.
        package let name: String
        package let path: String
        /// For an archive: which members count.
        package let formats: [String]
        /// Of an upstream's file, which was checked when it came.
        let digest: String?
        let size: Int
    }

    /// The administrator's files in the order of their names, then those of upstreams.
    package func sources(_ role: SourceFile.Role) throws(UpdateError) -> [Source] {
        let folder =
            switch role {
            case .signatures: signatures
            case .antispam: antispam
            case .module: modules
            case .served: ""
            }
        var result: [Source] = []
        if !folder.isEmpty {
            result = try files(in: folder).map {
                Source(name: $0, path: "\(folder)/\($0)", formats: [], digest: nil, size: 0)
            }
        }
        return result
            + state.files(role).map {
                Source(
                    name: $0.name, path: "\(path)/\($0.path)", formats: $0.formats, digest: $0.digest, size: $0.size)
            }
    }

    package var modules: String { "\(path)/modules" }
    package var signatures: String { "\(path)/signatures" }
    package var antispam: String { "\(path)/antispam" }

    /// The files of a folder and of those below, relative, in byte order; hidden ones and documentation are left out.
    package func files(in folder: String) throws(UpdateError) -> [String] {
        guard Files.exists(folder) else { return [] }
        do throws(SystemError) { return try Self.list(folder, prefix: "", depth: 0) } catch {
            throw UpdateError(.sources, error.description)
        }
    }

    private static func list(_ folder: String, prefix: String, depth: Int) throws(SystemError) -> [String] {
        guard depth < 8 else { return [] }
        var result: [String] = []
        for name in try Files.names(in: folder) where !name.hasPrefix(".") && !name.hasSuffix(".md") {
            var info = stat()
            guard stat("\(folder)/\(name)", &info) == 0 else { continue }
            if info.st_mode & S_IFMT == S_IFDIR {
                result += try list("\(folder)/\(name)", prefix: "\(prefix)\(name)/", depth: depth + 1)
            } else if info.st_mode & S_IFMT == S_IFREG {
                result.append(prefix + name)
            }
        }
        return result
    }

    /// A digest of the names and contents of what a module is compiled from, with the version of the compiler: equal
    /// digests make equal modules.
    package func digest(of role: SourceFile.Role, compiler: Int) throws(UpdateError) -> String {
        guard let hash = CCrypto_hash_new(CCRYPTO_SHA256) else {
            throw UpdateError(.module, "SHA-256 is not available")
        }
        defer { CCrypto_hash_free(hash) }
        func add(_ bytes: [UInt8]) { _ = CCrypto_hash_update(hash, bytes, bytes.count) }
        add(Array("compiler \(compiler)\n".utf8))
        for source in try sources(role) {
            if let digest = source.digest {
                add(Array("\(source.name) \(source.size) \(digest) \(source.formats.joined(separator: ":"))\n".utf8))
                continue
            }
            do throws(SystemError) {
                let copy = try Mapping(copyOf: source.path)
                add(Array("\(source.name) \(copy.bytes.count)\n".utf8))
                _ = CCrypto_hash_update(hash, copy.bytes.baseAddress, copy.bytes.count)
            } catch {
                throw UpdateError(.sources, "\(source.path): \(error.reason)")
            }
        }
        var result = [UInt8](repeating: 0, count: 32)
        guard CCrypto_hash_final(hash, &result) == 1 else { throw UpdateError(.module, "SHA-256 failed") }
        return hexadecimal(result)
    }
}
