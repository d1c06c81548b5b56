import CModuleABI
import Matching
import SignatureCompiler
import Testing

/// What the names and files of signatures say about the applications they are for.
@Suite struct ApplicationClassTests {
    private static let body = "0:*:6170706c69636174696f6e"

    @Test(arguments: [
        ("a.ndb", "Win.Trojan.X", 0), ("a.ndb", "PUA.Win.Packer.X", Int(EM_SIGNATURE_UNWANTED)),
        ("a.ndb", "pua.win.adware.X", Int(EM_SIGNATURE_UNWANTED)), ("a.ndu", "Win.X", Int(EM_SIGNATURE_UNWANTED)),
        ("a.ndu", "PUA.Win.X", Int(EM_SIGNATURE_UNWANTED)), ("a.ndb", "PUA.Win.Tool.X", Int(EM_SIGNATURE_UNSAFE)),
        ("a.ndu", "PUA.PwTool.X", Int(EM_SIGNATURE_UNSAFE)), ("a.ndb", "PUA.NetTool.X", Int(EM_SIGNATURE_UNSAFE)),
        ("a.ndb", "PUA.Win.Dropper.Tool", Int(EM_SIGNATURE_UNWANTED)), ("a.ndb", "Win.Tool.X", 0),
        ("a.ndb", "PUA.", Int(EM_SIGNATURE_UNWANTED)), ("a.ndb", "PUATool", 0),
    ]) func classes(_ file: String, _ name: String, _ expected: Int) throws {
        let made = try TestDatabase([file: "\(name):\(Self.body)"])
        #expect(made.report.malformed.isEmpty)
        let signature = try #require(made.database.signature(0))
        #expect(Int(signature.flags & UInt32(EM_SIGNATURE_OPTIONAL)) == expected)
    }

    /// One that is only told on demand must not hide a threat.
    @Test(arguments: ["PUA.Win.X", "PUA.Tool.X"]) func theyDoNotEndTheSearch(_ name: String) throws {
        let made = try TestDatabase(["a.ndb": "\(name):\(Self.body)\nWin.Trojan.X:0:*:7468726561742068657265"])
        let found = made.matches(Array("an application, and a threat here".utf8), all: false).found
        #expect(found.contains("Win.Trojan.X"))
    }
}
