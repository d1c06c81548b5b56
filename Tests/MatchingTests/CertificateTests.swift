import BytesE
import CModuleABI
import Foundation
import Matching
import SignatureCompiler
import Testing

/// Who signed a Windows program.
@Suite("Certificates")
struct CertificateTests {
    /// A program whose code says "signed program", signed until 2120 by "Signer", whose certificate "Root" issued. Only
    /// the signer's certificate comes with it.
    private static let program: [UInt8] = [UInt8](
        Data(
            base64Encoded: """
                TVoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAFBFAABMAQEAAAAA\
                AAAAAAAAAAAA4AACAAsBAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAC\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAACgEAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAALnRleHQAAAAAAgAAABAAAAACAAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABzaWduZWQgcHJvZ3Jh\
                bQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACgEAAAAAgIAMIIEFwYJKoZIhvcNAQcCoIIE\
                CDCCBAQCAQExDzANBglghkgBZQMEAgEFADBcBgorBgEEAYI3AgEEoE4wTDAXBgorBgEEAYI3AgEPMAkDAQCgBKICgAAwMTANBglg\
                hkgBZQMEAgEFAAQgSnewkRTkooQlxfW6Gw3YBmMcUsf0z7+xdAgyYurcY8GgggJqMIICZjCCAU6gAwIBAgIDEjRWMA0GCSqGSIb3\
                DQEBCwUAMCExEDAOBgNVBAoMB0V4YW1wbGUxDTALBgNVBAMMBFJvb3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBa\
                MCMxEDAOBgNVBAoMB0V4YW1wbGUxDzANBgNVBAMMBlNpZ25lcjCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAx6M99rrDl3Vo\
                dp79bLYWstLzyaCTT5aCkcmbRDDxPQGwGOXsfSO9W3RNLX/Jmqy87OA4AmSNd7dOVDtdmnyfvRlT6tdT0q9NSW69X3qQolevXCJ7\
                /i4XlanpgrzAIF8qZFisYV/FIxKsCT4xzrBS4aNr36I7kAMIhnkruu1DlcMCAwEAAaMnMCUwEwYDVR0lBAwwCgYIKwYBBQUHAwMw\
                DgYDVR0PAQH/BAQDAgeAMA0GCSqGSIb3DQEBCwUAA4IBAQBLNInt6IEh13jlGI3BoKjEGE0NUQk4TaYPI0WOAQ84O/spQ7E/x7RG\
                xS6p0tI8mO4o+JKBeclkNbEnacbpdVK5uFxkf08Z5ZfjbjQpReaAKdgMsbNKMS3FPIZPS2mMoRhQDixjGX2hW7opnKldVmBQPIaq\
                z7v9UIILMW6lUwRE61IK0aBGPgjmKYI4uDTF2ilEI/bir2Pi9LurKK5ukAUz16s5zyMm2uXQ2LTzuL0Eoe3OfaP2DoJufgZ1//qn\
                kKk0v5a20WSgq23nbDBXJiGH4U48WQn2okjtoIOukTdeYzeqZaBPQoUc7glMZtZlPkkLrkUfrh+/ZPhpo3GZiR8TMYIBIDCCARwC\
                AQEwKDAhMRAwDgYDVQQKDAdFeGFtcGxlMQ0wCwYDVQQDDARSb290AgMSNFYwDQYJYIZIAWUDBAIBBQCgTDAZBgkqhkiG9w0BCQMx\
                DAYKKwYBBAGCNwIBBDAvBgkqhkiG9w0BCQQxIgQgmprQTjoUZ1r2yf62kh5Ifh814LrKktjq4gKAXhJKXBgwDQYJKoZIhvcNAQEB\
                BQAEgYBNR2jxoChMUmCDCB7X6/SMU3yGisXgZfWjrptyFt/UpeSPgUrRg5VwqSKYDqIVD147O5YjMmgUdvPeKCJOGScCfjOWh9MB\
                VrzrPzft+D8HQgwKGWqBHXyOyqdGWFrKcARMIMZRcri9sZeJThnPFEnZ3XgyRiyIk3QqAzPg2yfbiwAAAAAA
                """) ?? Data())

    // SHA-1 of the names and of the number 0x123456; the keys.
    private static let signer = "85c9f54d8d1331b63907d27eb70121a7922d3eb7"
    private static let root = "9c788bf875b2a94a7f843240329f6e6d3260d889"
    private static let number = "d54093641b8ab5efe6d9c8dca9fb39112cb1722a"
    private static let signerKey = """
        c7a33df6bac3977568769efd6cb616b2d2f3c9a0934f968291c99b4430f13d01b018e5ec7d23bd5b744d2d7fc99aacbcece0\
        3802648d77b74e543b5d9a7c9fbd1953ead753d2af4d496ebd5f7a90a257af5c227bfe2e1795a9e982bcc0205f2a6458ac61\
        5fc52312ac093e31ceb052e1a36bdfa23b90030886792bbaed4395c3
        """
    private static let rootKey = """
        a8bc2a86b825463e39ffb4a2b8b0e1e67d795b1b187286e77ab0fdf4e47f78ed9064e5c7ee7043f5319c046919812521e748\
        c5011315396f18787ecfd1aae20fc4fa09a413bd2486aa238a6d66e8fae1d8340c81b258fb1efb010196cc79cad02eba59b4\
        1b37a5fc01f20da8fb5402b9e8b943247ce7a3e3165a1b63e17a0a40250ecdb92f6008a95d52d869ad78906b4227a0eca0b4\
        dfc20f6b72d69a979a883d0565315ee13f0f0e03d28bc92751117e2b2c0441e6c890c0f937497bbe544be75989a4c272d7ed\
        dc3dc853f9160900472e022d5e74db67ca1b3dc81dd808458e716cc50f48f51a0c474b5961da395c3a2f9365a2277112d3e4\
        4374c4f8313d
        """

    struct Example {
        let line: String
        /// What is found in the program, and in one of which a byte is another.
        let found, foundInChanged: [String]
        var comment: Comment { Comment(rawValue: String(line.prefix(60))) }
    }

    static let examples = [
        Example(line: "B;0;\(signer);\(number);\(signerKey);;1;0;0;;", found: ["B"], foundInChanged: ["B"]),
        Example(line: "B;0;\(signer);;\(signerKey);;1;0;0;;", found: ["B"], foundInChanged: ["B"]),
        // Another number, another key, another name.
        Example(line: "B;0;\(signer);\(root);\(signerKey);;1;0;0;;", found: ["Body"], foundInChanged: ["Body"]),
        Example(line: "B;0;\(signer);;\(rootKey);;1;0;0;;", found: ["Body"], foundInChanged: ["Body"]),
        Example(line: "B;0;\(root);;\(signerKey);;1;0;0;;", found: ["Body"], foundInChanged: ["Body"]),
        // Trusted: the signer, and the issuer, which must sign certificates.
        Example(line: "T;1;\(signer);;\(signerKey);;1;0;0;;", found: [], foundInChanged: ["Body"]),
        Example(line: "T;1;\(root);;\(rootKey);;1;1;1;;", found: [], foundInChanged: ["Body"]),
        Example(line: "T;1;\(root);;\(rootKey);;1;1;0;;", found: ["Body"], foundInChanged: ["Body"]),
        // Trusted for times only, from later on, or with another key.
        Example(line: "T;1;\(signer);;\(signerKey);;0;1;0;;", found: ["Body"], foundInChanged: ["Body"]),
        Example(line: "T;1;\(signer);;\(signerKey);;1;0;0;4000000000;", found: ["Body"], foundInChanged: ["Body"]),
        Example(line: "T;1;\(signer);;\(rootKey);;1;0;0;;", found: ["Body"], foundInChanged: ["Body"]),
    ]

    @Test("blocked and trusted signers", arguments: examples)
    func signers(_ example: Example) throws {
        let database = try TestDatabase([
            "a.crb": example.line, "a.ndb": "Body:1:*:\(hex("signed program"))",
        ])
        #expect(database.report.malformed.isEmpty && database.report.signatures == 2)
        var changed = Self.program
        changed[0x300] ^= 1
        for (program, expected) in [(Self.program, example.found), (changed, example.foundInChanged)] {
            let result = database.matches(program, type: UInt32(EM_TYPE_PE), all: false)
            #expect(result.found == expected, example.comment)
            #expect(result.outcome == (expected.isEmpty ? .allowed : .complete), example.comment)
        }
    }

    @Test("a signature that is cut or damaged blocks and trusts nobody, and harms nothing")
    func damaged() throws {
        let database = try TestDatabase([
            "a.crb": "T;1;\(Self.root);;\(Self.rootKey);;1;1;1;;\nB;0;\(Self.number);;\(Self.rootKey);;1;0;0;;",
            "a.ndb": "Body:1:*:\(hex("signed program"))",
        ])
        var random = Deterministic(3)
        for _ in 0..<400 {
            var program = Self.program
            for _ in 0..<2 {
                program[Int.random(in: 0x408..<program.count - 8, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            guard program != Self.program else { continue }
            let result = database.matches(program, type: UInt32(EM_TYPE_PE))
            #expect(result.outcome == .complete || result.outcome == .allowed)
        }
    }

    @Test(
        "lines that are wrong are told",
        arguments: [
            "B;0;\(signer);;\(signerKey);;1;0;0;", "B;2;\(signer);;\(signerKey);;1;0;0;;",
            "B;0;12;;\(signerKey);;1;0;0;;",
            "B;0;\(signer);;xy;;1;0;0;;", "B;0;\(signer);;\(signerKey);;1;0;;;", "B;0;\(signer);;00;;1;0;0;;",
        ])
    func malformed(_ line: String) throws {
        let report = try TestDatabase(["a.crb": line]).report
        #expect(report.malformedCount == 1 && report.signatures == 0)
    }

    @Test func levels() throws {
        let line = "B;0;\(Self.signer);;\(Self.signerKey);;1;0;0;;comment"
        #expect(try TestDatabase(["a.crb": line + ";100"]).report.signatures == 1)
        #expect(try TestDatabase(["a.crb": line + ";9999"]).report.unsupportedCount == 1)
        #expect(try TestDatabase(["a.crb": line + ";10;20"]).report.unsupportedCount == 1)
    }
}
