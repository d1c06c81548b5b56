import EventLoop
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1:25"), ("2001:db8::1", "[2001:db8::1]:25"), ("[::1]", "[::1]:25"),
        ("::ffff:192.0.2.7", "192.0.2.7:25"),
    ])
    func numeric(text: String, shown: String) throws {
        let address = try #require(SocketAddress(numeric: text, port: 25))
        #expect(address.description == shown)
    }

    @Test(arguments: ["", "[]", "localhost", "1.2.3", "1.2.3.4.5", ":::1", "fe80::1%", "a\0b"])
    func refused(text: String) {
        #expect(SocketAddress(numeric: text, port: 25) == nil)
    }

    @Test func mappedAddressIsTheSameClient() throws {
        let mapped = try #require(SocketAddress(numeric: "::ffff:192.0.2.7", port: 1))
        #expect(mapped.octets == [192, 0, 2, 7])
    }

    @Test func paths() {
        #expect(SocketAddress(path: "/run/x.sock")?.description == "/run/x.sock")
        #expect(SocketAddress(path: "@name")?.description == "@name")
        #expect(SocketAddress(path: "") == nil)
        #expect(SocketAddress(path: String(repeating: "x", count: 108)) == nil)
        #expect(SocketAddress(path: String(repeating: "x", count: 107))?.host.utf8.count == 107)
    }
}
