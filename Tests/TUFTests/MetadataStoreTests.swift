import Glibc
import Platform
import TUF
import TUFStore
import Testing

@Suite("The directory of trusted metadata")
struct MetadataStoreTests {
    @Test("keeps what is written, in the order of the changes")
    func changes() throws {
        var template = Array("/tmp/tufstore-XXXXXX".utf8CString)
        let directory = String(cString: try #require(mkdtemp(&template)))
        defer { try? Files.remove(directory) }
        let store = MetadataStore(directory: directory)
        try store.begin(root: [1])
        try store.apply([.write(name: "timestamp.json", bytes: [2]), .write(name: "a%2Fb.json", bytes: [3])])
        #expect(try store.load().files == ["root.json": [1], "timestamp.json": [2], "a%2Fb.json": [3]])
        try store.apply([
            .remove(name: "timestamp.json"), .write(name: "root.json", bytes: [4]), .remove(name: "never.json"),
        ])
        #expect(try store.load().files == ["root.json": [4], "a%2Fb.json": [3]])
        // What a stopped write left, and what is too long, does not count.
        try Files.replace("\(directory)/.hidden.json", with: [5])
        try Files.replace("\(directory)/snapshot.json.new.1", with: [5])
        var limits = TUFLimits()
        limits.targets = 100
        try Files.replace("\(directory)/long.json", with: [UInt8](repeating: 0, count: 101))
        #expect(try store.load(limits: limits).files.keys.sorted() == ["a%2Fb.json", "root.json"])
        try store.begin(root: [6])
        #expect(try store.load().files == ["root.json": [6]])
    }
}
