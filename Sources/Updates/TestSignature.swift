import Bytes
import SignatureCompiler

/// The EICAR test file (eicar.org), which every database knows: administrators try with it whether mail is scanned, and
/// a generation that does not find it is refused.
enum TestSignature {
    /// The 68 bytes of the test file, as signatures write them.
    private static let body: StaticString = """
        58354f2150254041505b345c505a58353428505e2937434329377d2445494341522d\
        5354414e444152442d414e544956495255532d544553542d46494c452124482b482a
        """
    private static let line: StaticString = """
        Eicar-Test-Signature:0:0:\
        58354f2150254041505b345c505a58353428505e2937434329377d2445494341522d\
        5354414e444152442d414e544956495255532d544553542d46494c452124482b482a

        """
    /// Its digests of 68 bytes: MD5, SHA-1, SHA-256.
    private static let digests: [StaticString] = [
        "44d88612fea8a8f36de82e1278abb02f", "3395856ce81f2b7382dee72602f798b642f14140",
        "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
    ]

    /// A file with its signature; nil when one of the files has one already, under whatever name.
    static func missing(from files: [SignatureFile]) -> SignatureFile? {
        for file in files {
            for known in digests + [body] where file.bytes.firstIndex(ofIgnoringCase: ByteView(known)) != nil {
                return nil
            }
        }
        return SignatureFile(name: "eicar.ndb", bytes: ByteView(line))
    }
}
