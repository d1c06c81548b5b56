import BytesE
import CModuleABI
import Foundation
import Matching
import SignatureCompiler
import Testing

/// The content of modules/signatures, and the objects that its README tells how to make.
@Suite("Base signatures")
struct BaseSignatureTests {
    /// Put together so that this file is no test file.
    private static let eicar = Array(
        (#"X5O!P%@AP[4\PZX54(P^)7CC)7}$"# + "EICAR-STANDARD-ANTIVIRUS" + "-TEST-FILE!$H+H*").utf8)

    private let database: TestDatabase

    init() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../modules/signatures")
        func text(_ name: String) throws -> String {
            try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        }
        database = try TestDatabase([
            "base.ndb": text("base.ndb"), "base.ndu": text("base.ndu"), "base.hsb": text("base.hsb"),
            "base.sfp": text("base.sfp"),
        ])
    }

    @Test("every line compiles")
    func compiles() {
        #expect(database.report.malformedCount == 0 && database.report.unsupportedCount == 0)
        #expect(database.report.signatures == 14)
    }

    @Test("EICAR, with white space and text behind it, at the beginning only")
    func eicar() {
        let name = "Eicar-Test-Signature"
        #expect(database.matches(Self.eicar, all: false).found == [name])
        #expect(database.matches(Self.eicar).found == [name, name])
        for tail in ["\n", "\r\n", " \t\r\n", "\u{1a}", " and more text"] {
            #expect(database.matches(Self.eicar + Array(tail.utf8)).found == [name])
        }
        #expect(!database.isFound(Array(" ".utf8) + Self.eicar))
        #expect(!database.isFound(Array(Self.eicar.dropLast())))
    }

    @Test(
        "test files",
        arguments: [
            ("md5:e916f540d489b320", "Md5"), ("sha1:aeab71006777908b", "Sha1"), ("sha256:49cc8b114715b0ac", "Sha256"),
            ("body:8a7904c12fa8eae1", "Body"), ("gap:-23b9142a6eb2e787 END", "Gap"),
            ("gap:---23b9142a6eb2e787 END", "Gap"),
            ("choice:c468b0e7791b866aRED.", "Choice"), ("choice:c468b0e7791b866aGREEN.", "Choice"),
            ("end:2904d67e5e540ca8", "End"),
        ])
    func testFile(_ content: String, _ name: String) {
        let object = Array("ESETS-TEST-FILE:\(content)\n".utf8)
        #expect(database.matches(object).found == ["Esets-Test-Signature.\(name)"])
    }

    @Test(
        "near misses",
        arguments: [
            "md5:e916f540d489b321", "gap:23b9142a6eb2e787 END", "gap:---------23b9142a6eb2e787 END",
            "gap:-23b9142a6eb2e787",
            "choice:c468b0e7791b866aREDX", "choice:c468b0e7791b866aBLUE.",
            "end:2904d67e5e540ca8" + String(repeating: ".", count: 64),
            "allowed:7afc27e6888e4726\nESETS-TEST-FILE:body:8a7904c12fa8eae1",
        ])
    func nearMiss(_ content: String) {
        #expect(!database.isFound(Array("ESETS-TEST-FILE:\(content)\n".utf8)))
    }

    @Test("test files of one type of object")
    func types() {
        for (content, name, type) in [
            ("mail:6061f10ee50e4699", "Mail", EM_TYPE_MAIL), ("html:67c467d861b18c6d", "Html", EM_TYPE_HTML),
            ("pdf:b0bfee240dfd2279", "Pdf", EM_TYPE_PDF),
        ] {
            let object = Array("some text ESETS-TEST-FILE:\(content)\n".utf8)
            #expect(database.matches(object, type: type).found == ["Esets-Test-Signature.\(name)"])
            #expect(!database.isFound(object))
        }
    }

    @Test("unwanted content is told apart")
    func unwanted() throws {
        let object = Array("ESETS-TEST-FILE:unwanted:07e42b12f7c7f91d".utf8)
        var flags: [UInt32] = []
        _ = object.withUnsafeBytes { bytes in
            database.database.match(
                ByteView(bytes), type: UInt32(EM_TYPE_TEXT), all: true, scratch: Scratch(), check: { true },
                report: { flags.append(database.database.signature($0.signature)?.flags ?? 0) })
        }
        #expect(flags.map { $0 & UInt32(EM_SIGNATURE_UNWANTED) } == [UInt32(EM_SIGNATURE_UNWANTED)])
    }
}
