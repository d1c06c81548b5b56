import Archives
import BytesE
import CModuleABI
import Testing

/// Samples that Office-like writers make are among `Samples`; here are headers that say something else.
@Suite struct ActiveMimeTests {
    /// "abc" as zlib stores it.
    private let stream: [UInt8] = [0x78, 0x01, 1, 3, 0, 0xfc, 0xff, 0x61, 0x62, 0x63, 0x02, 0x4d, 0x01, 0x27]

    private func file(header: Int, stated: Int) -> [UInt8] {
        var bytes = Array("ActiveMime".utf8) + [UInt8](repeating: 0, count: header - 10)
        bytes.replaceSubrange(30..<32, with: little(stated, 2))
        return bytes + stream
    }

    @Test(arguments: [(50, 4), (50, 9), (554, 0), (100, 54), (77, 900)])
    func streamIsFound(header: Int, stated: Int) {
        let (host, status) = unpacked(file(header: header, stated: stated))
        #expect(status == EM_END)
        #expect(host.children.map(\.data) == [[0x61, 0x62, 0x63]])
        #expect(host.children.first?.offset == UInt64(header))
        #expect(host.flags == 0)
    }

    @Test func damageIsTold() {
        let (cut, _) = unpacked(Array(file(header: 50, stated: 4).dropLast(9)))
        #expect(cut.flags & EM_OBJECT_TRUNCATED != 0)
        let (none, _) = unpacked(Array(file(header: 50, stated: 4)[..<50]))
        #expect(none.children.isEmpty && none.flags & EM_OBJECT_MALFORMED != 0)
    }
}
