import Foundation
import Generations
import Platform
import Testing

@Suite("Bad generations") struct BadGenerationTests {
    private func store() throws -> GenerationStore {
        let store = GenerationStore(base: NSTemporaryDirectory() + "bad-\(UUID().uuidString)")
        try Files.makeDirectory(store.directory)
        return store
    }

    private func bad(_ number: UInt64, _ content: String = "", _ reason: String = "it crashed") -> BadGeneration {
        BadGeneration(number: number, time: 1_700_000_000, content: content, reason: reason)
    }

    @Test("they are remembered by number and by content") func remembered() throws {
        let store = try store()
        #expect(store.bad.isEmpty && store.badness(of: 2, content: "aa") == nil)
        try store.markBad(bad(2, "aa", "two lines\nof reasons"))
        try store.markBad(bad(3))
        #expect(store.bad == [bad(2, "aa", "two lines of reasons"), bad(3)])
        #expect(store.badness(of: 2, content: "")?.number == 2)
        #expect(store.badness(of: 7, content: "aa")?.number == 2)
        // Unknown content is like no other.
        #expect(store.badness(of: 7, content: "") == nil)
        try Files.remove(store.base)
    }

    @Test("their numbers are not given again") func numbersAreNotGivenAgain() throws {
        let store = try store()
        try store.markBad(bad(7))
        #expect(store.nextNumber == 8)
        try Files.remove(store.base)
    }

    @Test("a generation can be forgiven, and with it what has its content") func forgiven() throws {
        let store = try store()
        try store.markBad(bad(2, "aa"))
        try store.markBad(bad(4, "aa"))
        try store.markBad(bad(5))
        try store.forgive(4)
        #expect(store.bad == [bad(5)])
        try Files.remove(store.base)
    }

    @Test("a damaged file is read as far as it can be") func damaged() throws {
        let store = try store()
        try Files.replace("\(store.directory)/.bad", with: Array("x\n3 4\n5 6 - why\n\n7 x aa b\n".utf8))
        #expect(store.bad == [BadGeneration(number: 5, time: 6, content: "", reason: "why")])
        try Files.remove(store.base)
    }

    @Test("only the newest are remembered") func bounded() throws {
        let store = try store()
        for number in 1...100 { try store.markBad(bad(UInt64(number))) }
        #expect(store.bad.map(\.number) == (37...100).map(UInt64.init))
        try Files.remove(store.base)
    }

    @Test("the one that was left last stays on the disk, to be known again") func pruning() throws {
        let store = try store()
        for number in 1...6 { try Files.makeDirectory(store.path(UInt64(number))) }
        try store.activate(6)
        try store.markBad(bad(1))
        try store.markBad(bad(2))
        try store.prune(keep: 1)
        #expect(try store.numbers() == [2, 5, 6])
        #expect(store.bad.count == 2)
        try Files.remove(store.base)
    }

    @Test("content is what the files hold, whatever the number and their order") func content() {
        func manifest(_ number: UInt64, _ files: [(String, String)]) -> GenerationManifest {
            GenerationManifest(
                number: number, created: number,
                files: files.map { .init(name: $0.0, size: 1, inode: number, digest: $0.1) })
        }
        let first = manifest(1, [("a", "11"), ("b", "22")]).content
        #expect(first.count == 64 && first == manifest(2, [("b", "22"), ("a", "11")]).content)
        #expect(first != manifest(1, [("a", "22"), ("b", "11")]).content)
        #expect(first != manifest(1, [("a", "11")]).content)
    }
}
