import Bytes
package import Generations
import Glibc
import Platform
import Verifier

/// Puts a new generation together: compiled data, code modules of the mirror, and whatever did not change from the
/// current generation.
package struct GenerationBuilder {
    package let store: GenerationStore
    package let mirror: MirrorDirectory
    package let trust: Trust
    /// Compiles one data module ("em002" or "em006") into a file: in a process of its own, see `CompilerProcess`.
    package let compile:
        (_ module: String, _ version: UInt64, _ digest: String, _ path: String) throws(UpdateError) -> Void

    package init(
        store: GenerationStore, mirror: MirrorDirectory, trust: Trust,
        compile: @escaping (String, UInt64, String, String) throws(UpdateError) -> Void
    ) {
        self.store = store
        self.mirror = mirror
        self.trust = trust
        self.compile = compile
    }

    package enum Outcome: Sendable, Equatable {
        /// Everything is as the sources say already.
        case current
        /// A new generation is complete, with these modules changed; it is not in use yet.
        case built(UInt64, changed: [String])
        /// The sources say what was gone back from, for this reason.
        case held(String)
    }

    /// - Parameters:
    ///   - force: compile even what did not change.
    ///   - seed: the private generation key.
    ///   - held: content that is not built again.
    package func build(force: Bool, seed: [UInt8], unless held: HeldContent? = nil) throws(UpdateError) -> Outcome {
        if let held, let reason = try reason(for: planned(), held) { return .held(reason) }
        let staged: StagedGeneration
        do throws(GenerationError) { staged = try store.stage() } catch { throw UpdateError(error) }
        do throws(UpdateError) {
            var changed: [String] = []
            for (module, role) in [("em002", SourceFile.Role.signatures), ("em006", .antispam)] {
                if try addData(module, from: role, to: staged, force: force) { changed.append(module) }
            }
            changed += try addCode(to: staged)
            guard !changed.isEmpty else {
                staged.discard()
                return .current
            }
            do throws(GenerationError) {
                return .built(try staged.commit(seed: seed), changed: changed)
            } catch {
                throw UpdateError(error)
            }
        } catch {
            staged.discard()
            throw error
        }
    }

    /// Why this content is not built again: somebody, or the daemon by itself, went back from it.
    private func reason(for planned: ContentIdentity, _ held: HeldContent) -> String? {
        if let reason = held.reason(for: planned) { return reason }
        // The digests of files differ from build to build; what they are made from does not. A generation whose files
        // were only damaged has no content there.
        let left = store.bad.last { bad in
            !bad.content.isEmpty && ContentIdentity(installed: store.path(bad.number)) == planned
        }
        return left.map { "generation \($0.number): \($0.reason)" }
    }

    /// What a generation made now would be.
    private func planned() throws(UpdateError) -> ContentIdentity {
        var parts: [String: String] = [:]
        for (module, role) in [("em002", SourceFile.Role.signatures), ("em006", .antispam)] {
            parts["\(module)_64.dat"] = try mirror.digest(of: role, compiler: ModuleCompiler.version)
        }
        let offered = try codeModules()
        for name in offered.isEmpty ? try installed() : offered.keys.sorted() where parts[name] == nil {
            let path = offered[name] ?? store.current.map { "\(store.path($0))/\(name)" } ?? ""
            parts[name] = ContentIdentity.digest(of: path)
        }
        return ContentIdentity(parts: parts)
    }

    /// Compiles a data module, or takes it unchanged; true when it changed.
    private func addData(
        _ module: String, from role: SourceFile.Role, to staged: StagedGeneration, force: Bool
    ) throws(UpdateError) -> Bool {
        let name = "\(module)_64.dat"
        let digest = try mirror.digest(of: role, compiler: ModuleCompiler.version)
        let installed = store.current.flatMap { InstalledModule(path: "\(store.path($0))/\(name)") }
        if let installed, let current = store.current, installed.sources == digest, !force {
            do throws(GenerationError) { try staged.addUnchanged(name, from: current) } catch {
                throw UpdateError(error)
            }
            return false
        }
        let version = Self.nextVersion(after: installed?.databaseVersion ?? 0)
        try compile(module, version, digest, "\(staged.path)/\(name)")
        return true
    }

    /// Copies the mirror's code modules that differ from the installed ones; returns the changed ones.
    private func addCode(to staged: StagedGeneration) throws(UpdateError) -> [String] {
        var changed: [String] = []
        let offered = try codeModules()
        // Without modules in the mirror the installed ones stay.
        let names = offered.isEmpty ? try installed() : offered.keys.sorted()
        // What the mirror has no more goes.
        for name in try installed() where !names.contains(name) { changed.append(String(name.prefix { $0 != "_" })) }
        for name in names where !name.hasPrefix("em002") && !name.hasPrefix("em006") {
            let source = offered[name] ?? "\(mirror.modules)/\(name)"
            do throws(GenerationError) {
                if let current = store.current,
                    !Files.exists(source) || isSame(source, "\(store.path(current))/\(name)")
                {
                    try staged.addUnchanged(name, from: current)
                } else {
                    // What is checked is the copy, which nobody else can change.
                    try staged.add(name, copyOf: source)
                    try checkSignature("\(staged.path)/\(name)", of: source)
                    changed.append(String(name.prefix { $0 != "_" }))
                }
            } catch {
                throw UpdateError(.module, error.description)
            }
        }
        return changed
    }

    /// The code modules on offer, by file name: of a repository and of the administrator the newer one.
    private func codeModules() throws(UpdateError) -> [String: String] {
        var offered: [String: String] = [:]
        for source in try mirror.sources(.module) {
            // A repository's files have their hash in front of the name.
            let name = source.formats.isEmpty ? Files.name(of: source.name) : ""
            guard name.hasSuffix(".dat"), source.digest != nil || !source.name.contains("/") else { continue }
            if let other = offered[name], Self.version(of: other) > Self.version(of: source.path) { continue }
            offered[name] = source.path
        }
        return offered
    }

    /// The numbers of a module's version; none for one that cannot be read.
    private static func version(of path: String) -> VersionNumbers {
        VersionNumbers(InstalledModule(path: path)?.version ?? "")
    }

    /// The file names of the installed modules that are not compiled here.
    private func installed() throws(UpdateError) -> [String] {
        guard let current = store.current else { return [] }
        do throws(SystemError) {
            return try Files.names(in: store.path(current)).filter {
                $0.hasSuffix(".dat") && !$0.hasPrefix("em002") && !$0.hasPrefix("em006")
            }
        } catch {
            throw UpdateError(error)
        }
    }

    /// Code that nobody trusted signed is refused before it comes near the system; the canary checks it again.
    private func checkSignature(_ path: String, of source: String) throws(GenerationError) {
        do throws(SystemError) {
            let mapping = try Mapping(path: path)
            do throws(Refusal) {
                try trust.publishers.withUnsafeBufferPointer { keys throws(Refusal) in
                    _ = try Verifier.verify(ByteView(mapping.bytes), keys: ByteView(keys), thorough: true)
                }
            } catch {
                throw SystemError(String(decoding: error.text, as: UTF8.self), source, code: EPERM)
            }
        } catch {
            throw GenerationError("\(source): \(error.call)")
        }
    }

    private func isSame(_ left: String, _ right: String) -> Bool {
        guard let a = try? Mapping(copyOf: left), let b = try? Mapping(path: right) else { return false }
        return ByteView(a.bytes).equals(ByteView(b.bytes))
    }

    /// The version of the next database: the day, and a number within it: 2026112100, 2026112101 …
    static func nextVersion(after previous: UInt64) -> UInt64 {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        let day = UInt64(parts.tm_year + 1900) * 10_000 + UInt64(parts.tm_mon + 1) * 100 + UInt64(parts.tm_mday)
        return max(previous + 1, day * 100)
    }
}
