import BytesE
import CModuleABI
import Foundation
import Testing

@testable import Archives

/// File systems of HFS+ made by hand (`tools/fuzz-seeds`); one that a real tool makes is among the samples.
@Suite struct HFSTests {
    private let sentence = "hello hello hello hello"

    private func image(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: ReplayTests.corpora.appendingPathComponent("formats/hfs-plus/" + name)))
    }

    private func opened(_ name: String, _ host: TrialHost = TrialHost(memory: 4 << 20)) throws -> TrialHost {
        _ = try image(name).withUnsafeBufferPointer { host.unpack(ByteView($0)) }
        return host
    }

    private func repeated(_ count: Int) -> String { String(repeating: sentence, count: count) }

    /// Both forks; those of the last file lie in eleven pieces each, of which the header has room for eight.
    @Test(arguments: ["files", "tree-in-pieces"]) func forks(name: String) throws {
        let host = try opened(name)
        #expect(host.names == ["a.txt", "a.txt:rsrc", "ä.bin", "ä.bin:rsrc"])
        #expect(host.texts == [sentence, "a resource", repeated(300), repeated(200)])
        #expect(host.flags == 0)
        #expect(host.children.allSatisfy { $0.flags & ~EM_OBJECT_IN_PLACE == 0 })
        #expect(host.children.map { $0.flags } == [EM_OBJECT_IN_PLACE, EM_OBJECT_IN_PLACE, 0, 0])
    }

    @Test func compressed() throws {
        let host = try opened("hfsx-compressed")
        // The numbers are the kinds; 256 more: not packed, though it might be.
        #expect(
            host.names == ["1", "11", "12", "14", "259", "260", "263", "264", "267", "3", "4", "7", "8"])
        for child in host.children {
            let name = text(child.name)
            #expect(text(child.data) == (name == "14" ? "" : repeated(name == "1" ? 1 : 9)), "\(name)")
            #expect(child.flags == (name == "14" ? EM_OBJECT_UNSUPPORTED : 0), "\(name)")
        }
        #expect(host.flags == 0)
    }

    /// Copies from near and far, in blocks of each kind.
    @Test func packedByApple() throws {
        let host = try opened("lzfse")
        #expect(host.names == ["lzfse", "lzvn"])
        let data = try #require(host.children.first).data
        #expect(host.children.last?.data == data)
        #expect(data.count == 2048 + 300 + 17_000 + 600 + 40 * sentence.utf8.count)
        #expect(Array(data[2048..<2148]) == Array(data[..<100]))
        #expect(data[2148] == 0x5A)
        #expect(Array(data[2149..<2348]) == Array(data[101..<300]))
        #expect(data[2348..<19_348].allSatisfy { $0 == 0 })
        #expect(Array(data[19_348..<19_948]) == Array(data[300..<900]))
        #expect(Array(data.suffix(920)) == Array(repeated(40).utf8))
        #expect(host.children.allSatisfy { $0.flags == 0 })
    }

    /// Leaves to which no node leads are read all the same.
    @Test func treeWithoutRoot() throws {
        #expect(try opened("root-nowhere").texts == [sentence, "a resource"])
    }

    @Test func inOlderFileSystem() throws {
        let host = try opened("wrapped")
        #expect(host.texts == [sentence, "a resource"])
        let bytes = try image("wrapped")
        let place = try #require(host.children.first)
        #expect(Array(bytes[Int(place.offset)..<Int(place.offset) + sentence.utf8.count]) == Array(sentence.utf8))
    }

    @Test func endsEarly() throws {
        let host = try opened("cut")
        #expect(host.flags & (EM_OBJECT_TRUNCATED | EM_OBJECT_MALFORMED) != 0)
    }

    @Test func applePartitionMap() throws {
        let host = TrialHost(memory: 4 << 20)
        host.walksDown = true
        _ = try opened("partition", host)
        // The map itself and what is free are left out.
        #expect(host.children.count == 3)
        #expect(host.names.suffix(2) == ["a.txt", "a.txt:rsrc"])
    }

    @Test func limitOfTotal() throws {
        let host = TrialHost(memory: 4 << 20)
        host.mostBytes = 4096
        _ = try opened("files", host)
        #expect(host.exceeded.contains(EM_BUDGET_TOTAL))
        #expect(host.children.contains { $0.flags & EM_OBJECT_OVER_LIMIT != 0 && $0.data.count <= 4096 })
    }

    @Test func damaged() throws {
        for name in ["files", "hfsx-compressed", "tree-in-pieces"] {
            var bytes = try image(name)
            for index in stride(from: 1024, to: bytes.count, by: 29) {
                let old = bytes[index]
                bytes[index] ^= 0xFF
                bytes.withUnsafeBufferPointer { fuzzArchive(ByteView($0)) }
                if index % 3 == 0 { bytes[index] = old }
            }
        }
    }
}
