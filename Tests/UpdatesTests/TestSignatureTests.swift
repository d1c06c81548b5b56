import Bytes
import SignatureCompiler
import Testing

@testable import Updates

@Suite struct TestSignatureTests {
    private func missing(_ text: String) -> Bool {
        Array(text.utf8).withUnsafeBufferPointer { buffer in
            TestSignature.missing(from: [SignatureFile(name: "a.hdb", bytes: ByteView(buffer))]) != nil
        }
    }

    @Test func isAddedToWhatDoesNotHaveIt() throws {
        #expect(missing("00000000000000000000000000000000:68:Other\n"))
        let file = try #require(TestSignature.missing(from: []))
        let (_, report) = try SignatureCompiler.compile([file], version: 1)
        #expect(report.signatures == 1)
        #expect(report.malformedCount == 0)
    }

    @Test(arguments: [
        "44D88612FEA8A8F36DE82E1278ABB02F:68:Mine\n",
        "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f:68:Mine\n",
        "Mine:0:0:58354F2150254041505B345C505A58353428505E2937434329377D2445494341522D5354414E444152442D"
            + "414E544956495255532D544553542D46494C452124482B482A\n",
    ]) func isNotAddedTwice(_ line: String) {
        #expect(!missing(line))
    }
}
