import Archives
import BytesE
import CModuleABI
import Testing

@Suite struct FlashTests {
    /// A movie with an empty rectangle, 24 frames a second, one frame.
    private func movie(_ tags: [(Int, [UInt8])], stated: Int? = nil, kind: String = "F") -> [UInt8] {
        var body: [UInt8] = [8, 0, 0, 24, 1, 0]
        for (number, content) in tags {
            body +=
                content.count < 63
                ? little(number << 6 | content.count, 2) + content
                : little(number << 6 | 63, 2) + little(content.count, 4) + content
        }
        body += [0, 0]
        return Array("\(kind)WS".utf8) + [13] + little(stated ?? 8 + body.count, 4) + body
    }

    @Test func whatTagsEmbedLiesInPlace() throws {
        let long = [UInt8](repeating: 0x61, count: 300)
        let bytes = movie([
            (9, [1, 2, 3]), (87, [1, 0, 0, 0, 0, 0] + long), (21, [1, 0, 0xff, 0xd8, 0xff]), (82, long),
        ])
        let (host, status) = unpacked(bytes)
        #expect(status == EM_END)
        #expect(host.children.map(\.data) == [long, [0xff, 0xd8, 0xff]])
        for child in host.children {
            #expect(child.flags == EM_OBJECT_IN_PLACE)
            let start = Int(child.offset)
            #expect(Array(bytes[start..<(start + child.data.count)]) == child.data)
        }
    }

    @Test func aTagBeyondTheEndIsCut() throws {
        var bytes = movie([(87, [1, 0, 0, 0, 0, 0] + [UInt8](repeating: 0x62, count: 100))])
        bytes.removeLast(50)
        let (host, _) = unpacked(bytes)
        let child = try #require(host.children.first)
        #expect(child.data == [UInt8](repeating: 0x62, count: 52))
        #expect(child.flags & EM_OBJECT_TRUNCATED != 0)
    }

    @Test func theRectangleHasAWidth() {
        // 31 bits for each of four numbers: 17 bytes with the five bits that say so.
        var bytes = Array("FWS".utf8) + [13] + little(64, 4) + [31 << 3] + [UInt8](repeating: 0, count: 16)
        bytes += [0, 24, 1, 0] + little(87 << 6 | 9, 2) + [0, 0, 0, 0, 0, 0, 1, 2, 3] + [0, 0]
        #expect(unpacked(bytes).host.children.map(\.data) == [[1, 2, 3]])
    }

    @Test func damageInPackedMoviesIsTold() throws {
        // No zlib stream behind the head.
        let (host, _) = unpacked(movie([(87, [UInt8](repeating: 0x63, count: 40))], kind: "C"))
        #expect(try #require(host.children.first).flags & EM_OBJECT_MALFORMED != 0)
    }

    @Test func textIsNoMovie() {
        #expect(unpacked(Array("FWS is what they call it, and text goes on here.".utf8)).status == EM_E_UNSUPPORTED)
        #expect(unpacked(Array("CWS".utf8)).status == EM_E_UNSUPPORTED)
    }
}
