import Bytes
import CCrypto
import Glibc
import Platform
import SignatureCompiler
import Testing

@testable import Updates

/// Containers and files as sources of a compilation.
final class SignatureSourcesTests {
    private let directory = "/tmp/esets-sources-\(getpid())-\(UInt64.random(in: 0 ... .max))"

    init() throws {
        try Files.makeDirectory(directory)
    }

    deinit {
        try? Files.remove(directory)
    }

    /// An unsigned container that is not packed.
    private func container(version: Int = 1, _ members: KeyValuePairs<String, String>, change: Bool = false) -> [UInt8]
    {
        let fields = "ClamAV-VDB:now:\(version):1:90:X:X:tester:1000"
        var info = "\(fields)\n"
        var body = member("COPYING", "licence")
        for (name, content) in members {
            info += "\(name):\(content.utf8.count):\(sha256(content))\n"
            body += member(name, change ? content.replacing("a", with: "b") : content)
        }
        let header = Array(fields.utf8) + [UInt8](repeating: 0x20, count: 512 - fields.utf8.count)
        return header + body + member("test.info", info) + [UInt8](repeating: 0, count: 1024)
    }

    private func member(_ name: String, _ content: String) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        block.replaceSubrange(0..<name.utf8.count, with: name.utf8)
        let size = String(content.utf8.count, radix: 8)
        block.replaceSubrange(124..<124 + size.utf8.count, with: size.utf8)
        block[156] = UInt8(ascii: "0")
        let bytes = Array(content.utf8)
        return block + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    private func sha256(_ text: String) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        _ = CCrypto_digest(CCRYPTO_SHA256, Array(text.utf8), text.utf8.count, &digest)
        return digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    private func write(_ name: String, _ bytes: [UInt8]) throws {
        try Files.replace("\(directory)/\(name)", with: bytes)
    }

    private func sources(_ names: [String]) throws -> (sources: SignatureSources, refused: [SignatureSources.Refused]) {
        let sources = SignatureSources(temporary: directory)
        for name in names { try sources.add("\(directory)/\(name)", as: name) }
        return (sources, try sources.unpack())
    }

    private func text(_ sources: SignatureSources, _ name: String) -> String? {
        sources.files.first { $0.name == name }.map { String(decoding: $0.bytes.buffer, as: UTF8.self) }
    }

    @Test func membersBecomeSources() throws {
        try write("own.cud", container(["a.ndb": "Test.A:0:*:6161616161\n", "b.hdb": ""]))
        try write("plain.ndb", Array("Test.B:0:*:6262626262\n".utf8))
        let (sources, refused) = try sources(["own.cud", "plain.ndb"])
        #expect(refused.isEmpty)
        #expect(sources.files.map(\.name) == ["plain.ndb", "own.cud:COPYING", "own.cud:a.ndb", "own.cud:b.hdb"])
        #expect(text(sources, "own.cud:a.ndb") == "Test.A:0:*:6161616161\n")
        #expect(text(sources, "own.cud:b.hdb") == "")
    }

    @Test func changedContainersAreRefusedWhole() throws {
        try write("own.cud", container(["x.hdb": "", "a.ndb": "Test.a:0:*:6161616161\n"], change: true))
        let (sources, refused) = try sources(["own.cud"])
        #expect(sources.files.isEmpty)
        #expect(
            refused == [
                SignatureSources.Refused(
                    file: "own.cud", reason: "the member a.ndb was changed: its SHA-256 is not the stated one")
            ])
    }

    /// A released container needs its signature, one that updates changed the signature of its list.
    @Test func unsignedContainersAreRefused() throws {
        try write("a.cvd", container(["a.ndb": ""]))
        try write("b.cld", container(["a.ndb": ""]))
        let refused = try sources(["a.cvd", "b.cld"]).refused
        #expect(
            refused.map(\.reason) == ["the header has no signature", "its .info member is not signed"])
    }

    @Test func theNewerOneCounts() throws {
        try write("daily.cvd", container(version: 3, [:]))
        try write("daily.cld", container(version: 3, [:]))
        #expect(try sources(["daily.cvd", "daily.cld"]).sources.superseded == ["daily.cvd"])
        try write("daily.cld", container(version: 2, [:]))
        #expect(try sources(["daily.cvd", "daily.cld"]).sources.superseded == ["daily.cld"])
        try write("main.cld", container(version: 9, [:]))
        #expect(try sources(["daily.cvd", "main.cld"]).sources.superseded == [])
    }

    @Test func aRefusedContainerEndsAnUpdate() throws {
        let mirror = MirrorDirectory(directory)
        try Files.makeDirectory(mirror.signatures)
        try Files.replace("\(mirror.signatures)/a.ndb", with: Array("Test.A:0:*:6161616161\n".utf8))
        try Files.replace("\(mirror.signatures)/daily.cvd", with: container(["a.ndb": ""]))
        let error = #expect(throws: UpdateError.self) {
            try ModuleCompiler.compileSignatures(mirror, version: 1, digest: "", to: "\(self.directory)/em002_64.dat")
        }
        #expect(error?.kind == .sources)
        #expect(error?.description.hasSuffix("daily.cvd: refused: the header has no signature") == true)
        #expect(!Files.exists("\(directory)/em002_64.dat"))
    }

    @Test func certificatesAreReadOrRefused() throws {
        let sources = SignatureSources(temporary: directory)
        try sources.trust(certificates: "\(directory)/none")
        try write("bad.crt", Array("nothing".utf8))
        #expect(throws: UpdateError.self) { try sources.trust(certificates: self.directory) }
    }
}
