import Bytes
import CCrypto
import Testing

@testable import CVD

/// Reads a container and checks its signatures by the test keys.
private func read(
    _ bytes: [UInt8], _ kind: CVDContainer.Kind, keys: Keys = Fixture.keys
) throws(CVDError) -> Members {
    try bytes.withUnsafeBufferPointer { buffer throws(CVDError) in
        let container = try CVDContainer(ByteView(buffer), kind: kind, keys: keys)
        _ = try container.verify(level: 220)
        var members = Members()
        try container.read(&members)
        return members
    }
}

/// What makes a container refused, nil when it is not.
private func refusal(_ bytes: [UInt8], _ kind: CVDContainer.Kind, keys: Keys = Fixture.keys) -> CVDError? {
    do throws(CVDError) {
        _ = try read(bytes, kind, keys: keys)
        return nil
    } catch { return error }
}

@Suite("Containers of signatures")
struct CVDTests {
    @Test func headerFields() throws {
        let text: StaticString = "ClamAV-VDB:22 Feb 2023 16-33 -0500:334:91:90:X:X:builder:1677101601   "
        let header = try CVDHeader(ByteView(text))
        #expect(header.version == 334 && header.signatures == 91 && header.level == 90)
        #expect(header.digest == nil && header.signature.isEmpty)
        #expect(header.builder == "builder" && header.created == 1_677_101_601)
        #expect(header.time == "22 Feb 2023 16-33 -0500")
    }

    @Test(arguments: [
        "ClamAV-VDX:t:1:2:3:X:X:b:4", "ClamAV-VDB:t:1:2:3:X:X", "ClamAV-VDB:t:x:2:3:X:X:b:4",
        "ClamAV-VDB:t:1:4294967296:3:X:X:b:4", "ClamAV-VDB:t:1:2:-3:X:X:b:4", "ClamAV-VDB:t:1:2:3:X:X:b:x",
        "ClamAV-VDB:t\u{1}:1:2:3:X:X:b:4", "",
    ])
    func badHeaders(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBufferPointer { buffer in
            #expect(throws: CVDError.self) { _ = try CVDHeader(ByteView(buffer)) }
        }
    }

    /// Headers of the time before seconds were stated.
    @Test func headerWithoutSeconds() throws {
        let text: StaticString = "ClamAV-VDB:t:1:2:3:X:X:b"
        #expect(try CVDHeader(ByteView(text)).created == 0)
    }

    @Test func membersOfAReleasedContainer() throws {
        let members = try read(Fixture.read("test.cvd"), .cvd)
        #expect(members.names == ["COPYING", "test.hdb", "test.ndb", "test.ign2"])
        #expect(members.contents[2] == Array("Test.Body:0:*:746865207465737420626f6479\n".utf8))
    }

    @Test func membersOfAnUpdatedContainer() throws {
        let members = try read(Fixture.read("test.cld"), .cld)
        #expect(members.names == ["COPYING", "test.hdb", "test.ndb", "test.ign2"])
        #expect(members.contents[3] == Array("Test.Ignored\n".utf8))
    }

    /// Every byte of a released container is signed: its header's fields by what they are compared with, its content as a whole.
    @Test func noByteOfAReleasedContainerCanChange() throws {
        let whole = try Fixture.read("test.cvd")
        let fields = whole.prefix(512).firstIndex(of: UInt8(ascii: " "), after: 60) ?? 512
        for index in whole.indices where index < 512 ? index % 3 == 0 && index < fields : index % 5 == 0 {
            var bytes = whole
            bytes[index] ^= 0x04
            // The builder's name, and the time as text, are for people.
            guard let error = refusal(bytes, .cvd) else {
                #expect(index < 512 && bytes[..<512] != whole[..<512])
                let header = try bytes.withUnsafeBufferPointer { try CVDHeader(ByteView($0).prefix(512)) }
                #expect(header.builder != "tester" || header.time != "21 Nov 2026 12-00 +0000", "byte \(index)")
                continue
            }
            #expect(error.kind == .signature || error.kind == .malformed, "byte \(index): \(error)")
        }
    }

    @Test func changedMembersOfAnUpdatedContainer() throws {
        let whole = try Fixture.read("test.cld")
        let body = Array("746865207465737420626f6479".utf8)
        let place = try #require((0..<whole.count - body.count).first { Array(whole[$0..<$0 + body.count]) == body })
        var bytes = whole
        bytes[place] ^= 1
        #expect(
            refusal(bytes, .cld)
                == CVDError(.signature, "the member test.ndb was changed: its SHA-256 is not the stated one"))
        // A list that fits the change has no signature.
        let dsig = Array("DSIG:".utf8)
        let end = try #require((0..<whole.count - 5).first { Array(whole[$0..<$0 + 5]) == dsig })
        bytes = whole
        bytes[end - 10] ^= 1
        #expect(refusal(bytes, .cld) == CVDError(.signature, "the signature of its .info member is wrong"))
        // Without its last member, ended as an archive should be.
        let name = Array("test.ign2\0".utf8)
        let header = try #require((512..<whole.count - 10).first { Array(whole[$0..<$0 + 10]) == name })
        bytes = Array(whole[..<header]) + [UInt8](repeating: 0, count: 1024)
        #expect(refusal(bytes, .cld) == CVDError(.signature, "the member test.ign2 is missing"))
        // Cut within a member.
        #expect(refusal(Array(whole[..<(header + 515)]), .cld)?.kind == .malformed)
    }

    @Test func theHeaderIsTheOneThatWasSigned() throws {
        var bytes = try Fixture.read("test.cld")
        let version = try #require(bytes.firstIndex(of: UInt8(ascii: "7")))
        bytes[version] = UInt8(ascii: "8")
        #expect(
            refusal(bytes, .cld)
                == CVDError(.signature, "the header is not the one that its .info member states"))
    }

    @Test func otherKeysAreNotTrusted() throws {
        #expect(
            refusal(try Fixture.read("test.cvd"), .cvd, keys: .published)
                == CVDError(.signature, "the signature in the header is wrong"))
        #expect(
            refusal(try Fixture.read("test.cld"), .cld, keys: .published)
                == CVDError(.signature, "the signature of its .info member is wrong"))
    }

    @Test func cutContainers() throws {
        let whole = try Fixture.read("test.cvd")
        for count in [0, 7, 511, 512, 519, 520, 600, whole.count - 1] {
            #expect(refusal(Array(whole[..<count]), .cvd) != nil, "cut to \(count)")
        }
        // Its signature aside, the archive is cut too.
        for count in [530, 700, whole.count - 20] {
            #expect(refusal(Array(whole[..<count]), .cud)?.kind == .malformed, "cut to \(count)")
        }
    }

    @Test func theSinkMayStop() throws {
        let bytes = try Fixture.read("test.cvd")
        try bytes.withUnsafeBufferPointer { buffer in
            let container = try CVDContainer(ByteView(buffer), kind: .cvd, keys: Fixture.keys)
            var members = Members(limit: 2)
            #expect(throws: CVDError(.sink, "enough")) { try container.read(&members) }
            #expect(members.names == ["COPYING", "test.hdb"])
        }
    }

    @Test func kindsByName() {
        #expect(CVDContainer.kind(ofFile: "daily.cvd") == .cvd)
        #expect(CVDContainer.kind(ofFile: "DAILY.CLD") == .cld)
        #expect(CVDContainer.kind(ofFile: "own.cud") == .cud)
        #expect(CVDContainer.kind(ofFile: "daily-7.cvd.sign") == nil)
    }
}

@Suite("Archives in containers")
struct TarTests {
    private func block(_ name: String, size: String, type: UInt8 = UInt8(ascii: "0")) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        block.replaceSubrange(0..<name.utf8.count, with: name.utf8)
        block.replaceSubrange(124..<124 + size.utf8.count, with: size.utf8)
        block[156] = type
        return block
    }

    private func read(_ bytes: [UInt8]) throws(CVDError) -> Members {
        var tar = TarReader()
        var members = Members()
        // In pieces of a few bytes, so that every boundary is met.
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + 7)
            try bytes.withUnsafeBufferPointer { buffer throws(CVDError) in
                try tar.feed(ByteView(buffer).slice(start, end), &members)
            }
            start = end
        }
        return members
    }

    @Test func membersInPieces() throws {
        let content = [UInt8](repeating: 0x41, count: 513)
        let members = try read(
            block("a.hdb", size: "00000001001") + content + [UInt8](repeating: 0, count: 511)
                + block("empty.ndb", size: "0") + block("b", size: " 1") + [0x42] + [UInt8](repeating: 0, count: 511)
                + [UInt8](repeating: 0, count: 512) + block("behind.the.end", size: "0"))
        #expect(members.names == ["a.hdb", "empty.ndb", "b"])
        #expect(members.contents == [content, [], [0x42]])
    }

    @Test(arguments: ["../a.hdb", "a/b", "/etc/passwd", ".hidden", "a b", "a\u{7f}", "a\nb"])
    func namesThatAreRefused(_ name: String) {
        #expect(throws: CVDError.self) { try read(block(name, size: "0")) }
    }

    @Test(arguments: [UInt8(ascii: "1"), UInt8(ascii: "2"), UInt8(ascii: "5"), UInt8(ascii: "L")])
    func membersThatAreNoFiles(_ type: UInt8) {
        #expect(throws: CVDError(.malformed, "a member of it is no plain file")) {
            try read(block("a", size: "0", type: type))
        }
    }

    @Test func sizesAndTwins() {
        #expect(throws: CVDError(.malformed, "the size of a member is no number")) { try read(block("a", size: "x")) }
        #expect(throws: CVDError(.limit, "its members are larger than 16 GiB")) {
            try read(block("a", size: "777777777777"))
        }
        #expect(throws: CVDError(.malformed, "it has two members a")) {
            try read(block("a", size: "0") + block("a", size: "0"))
        }
    }
}

@Suite("Detached signatures")
struct DetachedSignatureTests {
    private func verify(
        _ bytes: [UInt8], _ text: [UInt8], by certificate: String, level: UInt64 = 220
    ) throws -> String {
        let store = try #require(CertificateStore())
        try store.add(pem: Fixture.read(certificate))
        return try bytes.withUnsafeBufferPointer { bytes in
            try text.withUnsafeBufferPointer { text in
                try DetachedSignature(ByteView(text)).verify(ByteView(bytes), by: store, level: level)
            }
        }
    }

    @Test func aTrustedSigner() throws {
        let signer = try verify(
            Fixture.read("test.cvd"), Fixture.read("test-7.cvd.sign"), by: "signer.crt")
        #expect(signer == "Test signer")
    }

    @Test func everythingElse() throws {
        let bytes = try Fixture.read("test.cvd")
        let text = try Fixture.read("test-7.cvd.sign")
        #expect(throws: CVDError.self, "another signer") { try verify(bytes, text, by: "other.crt") }
        var changed = bytes
        changed[600] ^= 1
        #expect(throws: CVDError.self, "a changed file") { try verify(changed, text, by: "signer.crt") }
        #expect(throws: CVDError.self, "an older engine") { try verify(bytes, text, by: "signer.crt", level: 219) }
        #expect(throws: CVDError.self, "no signature") { try verify(bytes, [], by: "signer.crt") }
        #expect(throws: CVDError.self, "another version") {
            try verify(bytes, Array("#clamsign-2.0\n".utf8) + text.dropFirst(14), by: "signer.crt")
        }
        #expect(throws: CVDError.self, "no certificate") { try CertificateStore()?.add(pem: Array("nothing".utf8)) }
    }

    /// A detached signature decides: what is wrong in it is not made good by the one in the header.
    @Test func precedence() throws {
        let bytes = try Fixture.read("test.cvd")
        let text = try Fixture.read("test-7.cvd.sign")
        try bytes.withUnsafeBufferPointer { bytes in
            try text.withUnsafeBufferPointer { text in
                let container = try CVDContainer(ByteView(bytes), kind: .cvd, keys: Fixture.keys)
                let signature = DetachedSignature(ByteView(text))
                let store = try #require(CertificateStore())
                // Nobody to trust: the header's signature counts.
                #expect(try container.verify(detached: signature, store: store, level: 220) == .containerKey)
                try store.add(pem: Fixture.read("other.crt"))
                #expect(throws: CVDError.self) {
                    try container.verify(detached: signature, store: store, level: 220)
                }
                let trusted = try #require(CertificateStore())
                try trusted.add(pem: Fixture.read("signer.crt"))
                #expect(
                    try container.verify(detached: signature, store: trusted, level: 220)
                        == .certificate("Test signer"))
            }
        }
    }
}

extension Collection where Element == UInt8, Index == Int {
    /// The first place of a byte behind an index.
    fileprivate func firstIndex(of byte: UInt8, after index: Int) -> Int? {
        indices.first { $0 > index && self[$0] == byte }
    }
}
