import CCrypto
import Generations
import Glibc
import Platform
import Testing

@testable import Updates

/// Generations built from a mirror in a temporary directory, with the compiler in this process.
final class GenerationBuilderTests {
    private let directory = "/tmp/esets-updates-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    private let seed: [UInt8]
    private let trust: Trust
    private let store: GenerationStore
    private let mirror: MirrorDirectory

    init() throws {
        var seed = [UInt8](repeating: 0, count: 32)
        var key = [UInt8](repeating: 0, count: 32)
        #expect(CCrypto_ed25519_generate(&seed, &key) == 1)
        self.seed = seed
        trust = Trust(publishers: [], generationKey: key)
        store = GenerationStore(base: directory)
        mirror = MirrorDirectory("\(directory)/mirror")
        for folder in [mirror.modules, mirror.signatures, mirror.antispam] { try Files.makeDirectory(folder) }
        try write("signatures/a.ndb", "Test-One:0:*:6f6e65206f6e65206f6e65\n")
    }

    deinit {
        try? Files.remove(directory)
    }

    private func write(_ name: String, _ text: String) throws {
        try Files.replace("\(mirror.path)/\(name)", with: Array(text.utf8))
    }

    private var compiled: [String] = []

    private func builder() -> GenerationBuilder {
        let mirror = mirror
        return GenerationBuilder(store: store, mirror: mirror, trust: trust) {
            [unowned self] module, version, digest, path throws(UpdateError) in
            compiled.append(module)
            if module == "em002" {
                _ = try ModuleCompiler.compileSignatures(mirror, version: version, digest: digest, to: path)
            } else {
                _ = try ModuleCompiler.compileAntispam(mirror, version: version, digest: digest, to: path)
            }
        }
    }

    private func build(force: Bool = false) throws -> GenerationBuilder.Outcome {
        let outcome = try builder().build(force: force, seed: seed)
        if case .built(let number, _) = outcome { try store.activate(number) }
        return outcome
    }

    @Test func onlyWhatChangedIsCompiled() throws {
        #expect(try build() == .built(1, changed: ["em002", "em006"]))
        #expect(try build() == .current)
        try write("signatures/b.ndb", "Test-Two:0:*:74776f2074776f2074776f\n")
        compiled = []
        #expect(try build() == .built(2, changed: ["em002"]))
        #expect(compiled == ["em002"])
        let inodes = try [1, 2].map { number in
            try store.manifest(number, trust: trust).files.first { $0.name == "em006_64.dat" }?.inode
        }
        #expect(inodes[0] == inodes[1], "an unchanged module is the same file")
        #expect(try build(force: true) == .built(3, changed: ["em002", "em006"]))
    }

    @Test func versionsRise() throws {
        _ = try build()
        let first = try #require(InstalledModule(path: "\(directory)/em002_64.dat"))
        try write("signatures/a.ndb", "Test-One:0:*:6f6e65206f6e65206f6e6531\n")
        _ = try build()
        let second = try #require(InstalledModule(path: "\(directory)/em002_64.dat"))
        #expect(second.databaseVersion > first.databaseVersion)
        #expect(second.sources != first.sources)
        #expect(GenerationBuilder.nextVersion(after: 9_999_999_999) == 10_000_000_000)
    }

    @Test func unsignedCodeIsRefusedAndNothingChanges() throws {
        _ = try build()
        // A data module in the place of a code module: no signature, wrong kind of file.
        try Files.replace(
            "\(mirror.modules)/em001_64.dat", with: try Files.read("\(directory)/em002_64.dat"))
        try Files.replace("\(mirror.modules)/em003_64.dat", with: Array("not a module".utf8))
        #expect(throws: UpdateError.self) { try build() }
        #expect(store.current == 1)
        #expect(try store.numbers() == [1])
    }

    @Test func aModuleThatLeavesTheMirrorLeavesTheGeneration() throws {
        _ = try build()
        try Files.replace(
            "\(mirror.modules)/em190_64.dat", with: try Files.read("\(directory)/em006_64.dat"))
        _ = try build()
        #expect(Files.exists("\(directory)/em190_64.dat"))
        try Files.replace(
            "\(mirror.modules)/em191_64.dat", with: try Files.read("\(directory)/em006_64.dat"))
        try Files.remove("\(mirror.modules)/em190_64.dat")
        guard case .built(_, let changed) = try build() else {
            Issue.record("nothing was built")
            return
        }
        #expect(changed.sorted() == ["em190", "em191"])
        #expect(Files.linkTarget("\(directory)/em190_64.dat") == nil)
    }

    @Test func aBrokenRuleStopsTheUpdateWithItsPlace() throws {
        try write("antispam/10.rules", "this is not a rule\n")
        do {
            _ = try build()
            Issue.record("a broken rule was compiled")
        } catch let error as UpdateError {
            #expect(error.description.contains("10.rules:1:"), "\(error)")
        }
        #expect(try store.numbers().isEmpty)
    }

    @Test func oneUpdateAtATime() throws {
        let lock = try UpdateLock(path: "\(directory)/data/update.lock")
        do throws(UpdateError) {
            _ = try UpdateLock(path: "\(directory)/data/update.lock")
            Issue.record("two updates at once")
        } catch {
            #expect(error.kind == .busy)
        }
        withExtendedLifetime(lock) {}
    }
}
