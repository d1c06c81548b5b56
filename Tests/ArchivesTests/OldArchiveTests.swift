import Archives
import BytesE
import CModuleABI
import Testing

/// Archives whose variants no sample shows.
@Suite struct OldArchiveTests {
    /// An archive of one file.
    private func arj(_ method: UInt8, _ flags: UInt8, _ packed: [UInt8], _ size: Int) -> [UInt8] {
        func header(_ fields: [UInt8], _ name: String) -> [UInt8] {
            var header: [UInt8] = [30, 11, 1, 2]
            header += fields
            header += [UInt8](repeating: 0, count: 30 - header.count)
            header += Array(name.utf8)
            header += [0, 0]
            var all: [UInt8] = [0x60, 0xEA]
            all += little(header.count, 2)
            all += header
            return all + [0, 0, 0, 0, 0, 0]
        }
        var fields: [UInt8] = [flags, method, 0, 0, 0, 0, 0, 0]
        fields += little(packed.count, 4)
        fields += little(size, 4)
        return header([0, 0, 2], "a.arj") + header(fields, "a.txt") + packed + [0x60, 0xEA, 0, 0]
    }

    @Test func garbledARJ() throws {
        let (host, status) = unpacked(arj(0, 1, Array("abc".utf8), 3))
        #expect(status == EM_END)
        #expect(host.names == ["a.txt"])
        #expect(try #require(host.children.first).flags & EM_OBJECT_ENCRYPTED != 0)
    }

    @Test func truncatedARJ() throws {
        let (host, _) = unpacked(Array(arj(0, 0, Array("abcdef".utf8), 6).dropLast(7)))
        let child = try #require(host.children.first)
        #expect(text(child.data) == "abc")
        #expect(child.flags & EM_OBJECT_TRUNCATED != 0)
    }

    @Test func damagedARJ() throws {
        let (host, _) = unpacked(arj(1, 0, [UInt8](repeating: 0xFF, count: 40), 1000))
        #expect(try #require(host.children.first).flags & EM_OBJECT_MALFORMED != 0)
    }

    /// An installer's archive: deflated pieces with their sizes before them.
    @Test func filesOfInstaller() {
        func piece(_ data: [UInt8]) -> [UInt8] {
            // NSIS does not repeat the length of a stored block.
            let packed = [1] + little(data.count, 2) + data
            return little(packed.count | 1 << 31, 4) + packed
        }
        let script = [UInt8](repeating: 0, count: 80)
        var body = piece(script)
        body += piece(Array("first".utf8))
        body += little(6, 4) + Array("second".utf8)
        var archive = little(0, 4) + [0xEF, 0xBE, 0xAD, 0xDE] + Array("NullsoftInst".utf8)
        archive += little(script.count, 4) + little(28 + body.count + 4, 4)
        archive += body + [1, 2, 3, 4]
        #expect(unpacked(archive).host.texts.dropFirst() == ["first", "second"])
    }

    @Test func responseInWebArchive() throws {
        let response = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>hello"
        let record = lines(
            "WARC/1.0", "WARC-Type: response", "WARC-Target-URI: http://a.example/b/c.html",
            "Content-Type: application/http; msgtype=response", "Content-Length: \(response.utf8.count)", "", response,
            "", "")
        let (host, _) = unpacked(record + record)
        // The head passes for that of a message too, which is opened as well.
        #expect(host.texts.prefix(2) == ["<p>hello", "<p>hello"])
        let child = try #require(host.children.first)
        #expect(text(child.name) == "c.html")
        #expect(text(child.declared) == "text/html")
    }

    @Test func hereDocuments() {
        let script = """
            #!/bin/sh
            # This is a shell archive
            cat >a.txt <<\\END
            one
            END
            sed -e "s/^-//" > 'b c.txt' << "E O F"
            -two
            -E O F
            E O F
            """
        let (host, _) = unpacked(Array(script.utf8))
        #expect(host.names == ["a.txt", "b c.txt"])
        #expect(host.texts == ["one\n", "two\nE O F\n"])
    }

    @Test func distanceBeforeTheBlock() throws {
        // A copy cannot reach before its block.
        let block: [UInt8] = [0x12, 0x41, 0x40, 0xFF, 0x11, 0, 0]
        var file: [UInt8] = [0x89, 0x4C, 0x5A, 0x4F, 0, 0x0D, 0x0A, 0x1A, 0x0A, 0x10, 0x40, 0x20, 0xA0, 9, 0x40, 1, 5]
        file += [UInt8](repeating: 0, count: 21)
        file += [0, 0, 0, 64, 0, 0, 0, UInt8(block.count)]
        file += block
        let (host, _) = unpacked(file)
        let child = try #require(host.children.first)
        #expect(child.data == [0x41])
        #expect(child.flags & EM_OBJECT_MALFORMED != 0)
    }
}
