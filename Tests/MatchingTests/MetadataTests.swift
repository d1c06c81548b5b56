import BytesE
import CModuleABI
import DatabaseSections
import Matching
import SignatureCompiler
import Testing

private func view<T>(_ text: String, _ body: (ByteView) -> T) -> T {
    Array(text.utf8).withUnsafeBufferPointer { body(ByteView($0)) }
}

@Suite("What containers say")
struct ContainerSignatureTests {
    private func found(
        _ lines: String, container: UInt32 = FileType.code("CL_TYPE_ZIP"), size: UInt64 = 1000, packed: UInt64 = 10,
        stated: UInt64 = 20, position: UInt32 = 1, crc32: UInt32? = 7, encrypted: Bool = false, name: String = "a.exe"
    ) throws -> [String] {
        let base = try TestDatabase(["test.cdb": lines])
        #expect(base.database.matchesEntries)
        var names: [String] = []
        view(name) { name in
            let facts = EntryFacts(
                container: container, containerSize: size, packedSize: packed, statedSize: stated, position: position,
                crc32: crc32, isEncrypted: encrypted, name: name)
            #expect(
                base.database.matchEntry(facts) {
                    names.append(
                        base.database.signature($0).map { String(decoding: $0.name.array, as: UTF8.self) } ?? "?")
                })
        }
        return names
    }

    @Test func eachField() throws {
        #expect(try found("A:*:*:*:*:*:*:*:*:*") == ["A"])
        #expect(try found("A:CL_TYPE_ZIP:*:*:*:*:*:*:*:*") == ["A"])
        #expect(try found("A:CL_TYPE_RAR:*:*:*:*:*:*:*:*") == [])
        #expect(try found("A:*:1000:*:*:*:*:*:*:*\nB:*:1-999:*:*:*:*:*:*:*") == ["A"])
        #expect(try found("A:*:*:\\.exe$:*:*:*:*:*:*\nB:*:*:^exe:*:*:*:*:*:*") == ["A"])
        #expect(try found("A:*:*:*:10:*:*:*:*:*\nB:*:*:*:11-20:*:*:*:*:*") == ["A"])
        #expect(try found("A:*:*:*:*:20:*:*:*:*\nB:*:*:*:*:21:*:*:*:*") == ["A"])
        #expect(try found("A:*:*:*:*:*:0:*:*:*\nB:*:*:*:*:*:1:*:*:*") == ["A"])
        #expect(try found("A:*:*:*:*:*:0:*:*:*\nB:*:*:*:*:*:1:*:*:*", encrypted: true) == ["B"])
        #expect(try found("A:*:*:*:*:*:*:1:*:*\nB:*:*:*:*:*:*:2-9:*:*") == ["A"])
        #expect(try found("A:CL_TYPE_ZIP:*:*:*:*:*:*:7:*\nB:CL_TYPE_ZIP:*:*:*:*:*:*:8:*") == ["A"])
        #expect(try found("A:CL_TYPE_ZIP:*:*:*:*:*:*:0:*", crc32: nil) == [])
    }
}

@Suite("File types of the database")
struct FileTypeTests {
    private func type(_ lines: String, _ object: String, previous: UInt32 = EM_TYPE_TEXT) throws -> UInt32? {
        let base = try TestDatabase(["test.ftm": lines])
        #expect(base.report.malformedCount == 0 && base.report.unsupportedCount == 0)
        return view(object) { base.database.fileType(of: $0, previous: previous) }
    }

    @Test func inOrder() throws {
        let lines = """
            0:0:4142:X:CL_TYPE_ANY:CL_TYPE_PDF
            1:*:3c6874{-2}6d6c:X:CL_TYPE_TEXT_ASCII:CL_TYPE_HTML
            1:4:(61|62)3?:X:CL_TYPE_ANY:CL_TYPE_GRAPHICS
            """
        #expect(try type(lines, "AB <html") == EM_TYPE_PDF)
        #expect(try type(lines, "xx <html") == EM_TYPE_HTML)
        #expect(try type(lines, "xx <ht..ml") == EM_TYPE_HTML)
        #expect(try type(lines, "xx <ht...ml") == nil)
        #expect(try type(lines, "xx <html", previous: EM_TYPE_MAIL) == nil)
        #expect(try type(lines, "xxxxb7") == EM_TYPE_GRAPHICS)
        #expect(try type(lines, "xxxb7") == nil)
        #expect(try type(lines, "A") == nil)
        #expect(try type(lines, "") == nil)
        #expect(try type(lines, String(repeating: "\n", count: 1025) + "<html") == nil)
    }
}

@Suite("Rules for links")
struct LinkRuleTests {
    private func holds(_ base: TestDatabase, _ kind: UInt32, _ text: String) -> Bool {
        view(text) { base.database.linkRule(kind, holdsFor: $0) }
    }

    @Test func hostsAndExpressions() throws {
        let base = try TestDatabase([
            "test.pdb": "H:bank.example\nR:.+\\.shop\\.(com|org)([/?].*)?:.*",
            "test.wdb": "M:mail.example:bank.example\nX:.+\\.good\\.com:.+\\.bank\\.example\nY:.+\\.safe\\.net",
        ])
        #expect(base.report.malformedCount == 0)
        #expect(base.database.judgesLinks && !base.database.hasLinkHashes)
        #expect(holds(base, EM_LINK_PROTECTED_HOST, "bank.example"))
        #expect(holds(base, EM_LINK_PROTECTED_HOST, "www.bank.example"))
        #expect(!holds(base, EM_LINK_PROTECTED_HOST, "notbank.example"))
        #expect(!holds(base, EM_LINK_PROTECTED_HOST, "bank.example.org"))
        #expect(holds(base, EM_LINK_PROTECTED_REGEX, "http://x.shop.org:anything/"))
        #expect(!holds(base, EM_LINK_PROTECTED_REGEX, "http://x.shop.net:anything/"))
        #expect(holds(base, EM_LINK_ALLOWED_HOSTS, "mail.example:bank.example"))
        #expect(holds(base, EM_LINK_ALLOWED_HOSTS, "a.mail.example:bank.example"))
        #expect(!holds(base, EM_LINK_ALLOWED_HOSTS, "mail.example:www.bank.example"))
        #expect(holds(base, EM_LINK_ALLOWED_REGEX, "http://a.good.com:www.bank.example/"))
        #expect(!holds(base, EM_LINK_ALLOWED_REGEX, "http://a.good.com.evil:www.bank.example/"))
        #expect(holds(base, EM_LINK_ALLOWED_REAL, "http://a.safe.net/"))
    }

    @Test func hashes() throws {
        // SHA-256 of "host.example/path".
        let digest = "8d4001917d6a596949b5d007c825101139803f3aa37a472397209dfb372dffd6"
        let base = try TestDatabase(["test.gdb": "S1:F:\(digest)\nS:F:\(String(repeating: "ab", count: 32))"])
        #expect(base.database.hasLinkHashes)
        view("host.example") { host in
            #expect(base.database.linkHash(host: host, path: ByteView("/path")) == EM_LINK_HASH_BLOCKED)
        }
        view("nothing") { host in #expect(base.database.linkHash(host: host, path: ByteView("/")) == nil) }
    }
}
