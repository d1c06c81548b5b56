import Bytes
import Glibc
import Testing

@testable import CVD

/// The containers of Fixtures/, which make-fixtures.py made, and the keys that signed them.
enum Fixture {
    static func read(_ name: String) throws -> [UInt8] {
        let path = #filePath.prefix(#filePath.count - "Fixture.swift".count) + "Fixtures/\(name)"
        let file = try #require(fopen(String(path), "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    static let keys = Keys(
        container: PublicKey(modulus: container, exponent: "65537", size: 128),
        information: PublicKey(modulus: information, exponent: "65537", size: 256),
        script: PublicKey(modulus: information, exponent: "65537", size: 256))

    private static let container =
        "119853137121081970529484564895552472503372856435892589984993953304087268679053764663300420617576"
        + "793447188739723748386316272566208108143726843386541466932117659261049836860654622264858989758973"
        + "243409305395279869844437429874775974500777532578190376008167722099484425959279524081324166276838"
        + "352569927521462657407"

    private static let information =
        "271740058798217712917183974267129610739953654282891239603501098646997224342847635173726177734757"
        + "278934498910485780371812476541730589631096141121898214059475323187763462995843920881634837225526"
        + "816494357859487273255476366628697781343218543561646054481284757003839300729008740830888359285350"
        + "129006214522347306550420585042051894105936301186340454709187972913559864021919188889336458127004"
        + "136871459118624875226697148476060626813528497180846185179628385435684538217647597902618656040081"
        + "106054619848539243379367361294685727606396355697002527966702151105991203026714972795610968465195"
        + "38596085143060257462340941930603638388663"
}

/// Members as they come.
struct Members: CVDMemberSink {
    var names: [String] = []
    var contents: [[UInt8]] = []
    /// Members after which it refuses more.
    var limit = Int.max

    mutating func begin(_ name: String, size: Int) throws(CVDError) {
        guard names.count < limit else { throw CVDError(.sink, "enough") }
        names.append(name)
        contents.append([])
    }

    mutating func append(_ bytes: ByteView) throws(CVDError) {
        contents[contents.count - 1] += bytes.array
    }

    mutating func end() throws(CVDError) {}
}
