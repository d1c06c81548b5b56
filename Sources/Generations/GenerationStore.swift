import CCrypto
import Glibc
import Platform

/// The generations under @BASEDIR@: `generations/<n>/`, `generations/current` → n, and the guide's names
/// `em00X_64.dat` beside, which reach through `current`.
///
/// A generation's directory appears by one rename, complete; going to another one is one rename of the
/// link `current`: a power failure at any moment leaves the old or the new state.
package struct GenerationStore: Sendable {
    /// @BASEDIR@ (option base_dir).
    package let base: String

    package init(base: String) {
        self.base = base
    }

    package var directory: String { "\(base)/generations" }

    /// The directory of one generation.
    package func path(_ number: UInt64) -> String { "\(directory)/\(number)" }

    /// The generation that `current` names.
    package var current: UInt64? { Files.linkTarget("\(directory)/current").flatMap { UInt64($0) } }

    /// All complete generations, in rising order.
    package func numbers() throws(GenerationError) -> [UInt64] {
        guard Files.exists(directory) else { return [] }
        do throws(SystemError) {
            return try Files.names(in: directory).compactMap { UInt64($0) }.sorted()
        } catch {
            throw GenerationError(error)
        }
    }

    /// Where the highest number ever given is kept: numbers are never given twice, also when generations are removed.
    private var lastNumberFile: String { "\(directory)/.last" }

    /// The number that the next generation gets, if no other process makes one meanwhile.
    package var nextNumber: UInt64 {
        let text = (try? Files.text(lastNumberFile, limit: 32)) ?? ""
        let remembered = UInt64(text.prefix { $0 != "\n" }) ?? 0
        // What was left as bad is known by its number too: that one is not given again.
        let left = bad.map(\.number).max() ?? 0
        return max(remembered, left, (try? numbers().last) ?? 0) + 1
    }

    func remember(_ number: UInt64) throws(SystemError) {
        try Files.replace(lastNumberFile, with: Array("\(number)\n".utf8))
    }

    /// Reads and checks a generation's manifest.
    package func manifest(_ number: UInt64, trust: Trust) throws(GenerationError) -> GenerationManifest {
        try Self.manifest(in: path(number), trust: trust)
    }

    /// Reads and checks the manifest in a directory.
    package static func manifest(in directory: String, trust: Trust) throws(GenerationError) -> GenerationManifest {
        let path = "\(directory)/manifest"
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try Files.read(path, limit: 2 << 20) } catch { throw GenerationError(error) }
        return try GenerationManifest(bytes, publicKey: trust.generationKey, path: path)
    }

    /// Begins a new generation in a directory of its own.
    package func stage() throws(GenerationError) -> StagedGeneration {
        do throws(SystemError) {
            try Files.makeDirectory(directory)
            let path = "\(directory)/.staged-\(getpid())-\(Clock.now)"
            try Files.makeDirectory(path, mode: 0o755)
            return StagedGeneration(store: self, path: path)
        } catch {
            throw GenerationError(error)
        }
    }

    /// Makes a generation the current one.
    package func activate(_ number: UInt64) throws(GenerationError) {
        do throws(SystemError) {
            // What can fail, because the generation is gone or the disk is full, comes before the step that counts.
            for name in try Files.names(in: path(number)) where name.hasSuffix(".dat") {
                let link = "\(base)/\(name)"
                if Files.linkTarget(link) == nil { try replaceLink(link, to: "generations/current/\(name)") }
            }
            try replaceLink("\(directory)/current", to: String(number))
            try Files.synchronizeDirectory(directory)
            for name in try Files.names(in: base) where name.hasPrefix("em") && !Files.exists("\(base)/\(name)") {
                // A module that this generation has no more.
                if Files.linkTarget("\(base)/\(name)") != nil { unlink("\(base)/\(name)") }
            }
            try Files.synchronizeDirectory(base)
        } catch {
            throw GenerationError(error)
        }
    }

    /// Removes a generation that is not the current one.
    package func remove(_ number: UInt64) throws(GenerationError) {
        guard number != current else { throw GenerationError("generation \(number) is in use") }
        do throws(SystemError) {
            // Out of sight first, so that nobody sees half of it.
            let hidden = "\(directory)/.removed-\(number)-\(getpid())"
            _ = try checked("rename", path(number)) { rename(path(number), hidden) }
            try Files.remove(hidden)
        } catch {
            throw GenerationError(error)
        }
    }

    /// Removes all but the current generation, the newest `keep` others and the one that was left as bad last, by which
    /// its content is known again; and what interrupted updates left.
    package func prune(keep: Int) throws(GenerationError) {
        let lastBad = bad.last?.number
        let others = try numbers().filter { $0 != current && $0 != lastBad }
        for number in others.dropLast(max(0, keep)) { try remove(number) }
        do throws(SystemError) {
            for name in try Files.names(in: directory) where name.hasPrefix(".") && name != ".last" && name != ".bad" {
                let path = "\(directory)/\(name)"
                var info = stat()
                guard lstat(path, &info) == 0, info.st_mtim.tv_sec < time(nil) - 3600 else { continue }
                try Files.remove(path)
            }
        } catch {
            throw GenerationError(error)
        }
    }

    private func replaceLink(_ path: String, to target: String) throws(SystemError) {
        let temporary = "\(path).new.\(getpid())"
        unlink(temporary)
        _ = try checked("symlink", temporary) { symlink(target, temporary) }
        _ = try checked("rename", path) { rename(temporary, path) }
    }
}
