import CCrypto
import Generations
import Glibc
import Platform
import Testing

struct GenerationsTests {
    private let directory = "/tmp/esets-generations-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    private let seed: [UInt8]
    private let trust: Trust

    init() throws {
        var seed = [UInt8](repeating: 0, count: 32)
        var key = [UInt8](repeating: 0, count: 32)
        #expect(CCrypto_ed25519_generate(&seed, &key) == 1)
        self.seed = seed
        trust = Trust(publishers: [], generationKey: key)
        try Files.makeDirectory(directory)
    }

    private func commit(_ store: GenerationStore, _ content: String) throws -> UInt64 {
        let staged = try store.stage()
        try Files.replace("\(staged.path)/em002_64.dat", with: Array(content.utf8))
        return try staged.commit(seed: seed)
    }

    @Test func generationsAppearCompleteAndOneIsCurrent() throws {
        defer { try? Files.remove(directory) }
        let store = GenerationStore(base: directory)
        #expect(store.current == nil)
        let first = try commit(store, "one")
        let second = try commit(store, "two")
        #expect([first, second] == [1, 2])
        try store.activate(1)
        #expect(store.current == 1)
        #expect(try Files.text("\(directory)/em002_64.dat") == "one")
        try store.activate(2)
        #expect(try Files.text("\(directory)/em002_64.dat") == "two")
        let manifest = try store.manifest(2, trust: trust)
        #expect(manifest.files.map(\.name) == ["em002_64.dat"])
        #expect(manifest.files.first?.size == 3)
        #expect(throws: GenerationError.self) { try store.remove(2) }
        try store.remove(1)
        #expect(try store.numbers() == [2])
    }

    @Test func aGenerationThatIsGoneChangesNothing() throws {
        defer { try? Files.remove(directory) }
        let store = GenerationStore(base: directory)
        _ = try commit(store, "one")
        try store.activate(1)
        #expect(throws: GenerationError.self) { try store.activate(2) }
        #expect(store.current == 1)
        #expect(try Files.text("\(directory)/em002_64.dat") == "one")
    }

    @Test func anUnchangedModuleIsTheSameFile() throws {
        defer { try? Files.remove(directory) }
        let store = GenerationStore(base: directory)
        _ = try commit(store, "one")
        let staged = try store.stage()
        try staged.addUnchanged("em002_64.dat", from: 1)
        _ = try staged.commit(seed: seed)
        let inodes = try [1, 2].map { try store.manifest($0, trust: trust).files.first?.inode }
        #expect(inodes[0] == inodes[1])
    }

    @Test func aChangedManifestIsRefused() throws {
        defer { try? Files.remove(directory) }
        let store = GenerationStore(base: directory)
        _ = try commit(store, "one")
        let path = "\(store.path(1))/manifest"
        let bytes = try Files.read(path)
        for index in stride(from: 0, to: bytes.count - 1, by: 3) {
            var changed = bytes
            changed[index] = changed[index] == 0x31 ? 0x32 : 0x31
            if changed == bytes { continue }
            #expect(throws: GenerationError.self) {
                try GenerationManifest(changed, publicKey: trust.generationKey, path: path)
            }
        }
        let other = Trust(publishers: [], generationKey: [UInt8](repeating: 3, count: 32))
        #expect(throws: GenerationError.self) { try store.manifest(1, trust: other) }
    }

    @Test func oldGenerationsArePruned() throws {
        defer { try? Files.remove(directory) }
        let store = GenerationStore(base: directory)
        for text in ["a", "b", "c", "d", "e"] { _ = try commit(store, text) }
        try store.activate(2)
        try store.prune(keep: 2)
        #expect(try store.numbers() == [2, 4, 5])
        try store.remove(5)
        #expect(try commit(store, "f") == 6)
    }

    @Test func keysAreMadeOnceAndReadBack() throws {
        defer { try? Files.remove(directory) }
        let key = "\(directory)/certs/generation.key"
        try Trust.makeKeys(private: key, public: "\(directory)/certs/generation.pub")
        #expect(throws: GenerationError.self) {
            try Trust.makeKeys(private: key, public: "\(directory)/certs/other.pub")
        }
        try Files.makeDirectory("\(directory)/certs/modules")
        try Trust.makeKeys(private: "\(directory)/certs/m.key", public: "\(directory)/certs/modules/m.pub")
        let trust = try Trust(directory: "\(directory)/certs")
        #expect(trust.publishers.count == 32)
        #expect(try Trust.readKey(key).count == 32)
    }
}
