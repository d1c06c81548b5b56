import Archives
import Bytes
import Configuration
import Mail
import ModuleHost
import ScanProtocol
import Scanner
import Testing

/// Policy and rewriting with the real object tree of em001 and em003: what comes out must be clean when it is
/// scanned again.
struct MailCleaningTests {
    private func scan(_ message: [UInt8]) throws -> ScanVerdict {
        let generation = try Generation.linked(
            code: [
                ("em001_64.dat", scannerModule()), ("em003_64.dat", archivesModule()),
                ("em101_64.dat", detectorModule()),
            ], data: [])
        let options = OptionTable(ScanOptions(), ScanEnvelope(agent: "test"))
        let scan = try Scan(generation: generation, object: ObjectBytes(message), options: options)
        guard case .done(let verdict) = scan.run() else {
            Issue.record("suspended")
            return ScanVerdict()
        }
        return verdict
    }

    /// What comes out of a message, and what was decided about it.
    private func clean(_ text: String, _ mode: CleanMode) throws -> (decision: Decision, output: [UInt8]) {
        let message = Array(text.utf8)
        let verdict = try scan(message)
        var policy = MailPolicy()
        policy.cleanMode = mode
        return message.withUnsafeBufferPointer { buffer in
            let view = ByteView(buffer)
            let decision = policy.decide(verdict, outline: MessageOutline(view))
            let rewriter = MessageRewriter(
                message: view, decision: decision, modification: Modification(), values: TemplateValues())
            let output = rewriter.segments().flatMap { segment in
                switch segment {
                case .original(let range): view.slice(range.lowerBound, range.upperBound).array
                case .bytes(let bytes): bytes
                }
            }
            return (decision, output)
        }
    }

    /// base64 of "This is EVIL."
    private static let evil = "VGhpcyBpcyBFVklMLg=="
    /// base64 of a ZIP file with one stored member that holds "EVIL".
    private static let zip =
        "UEsDBBQAAAAAAAAAIQDm3G67BAAAAAQAAAABAAAAeEVWSUxQSwECFAMUAAAAAAAAACEA5txuuwQAAAAEAAAAAQAAAAAA"
        + "AAAAAAAAgAEAAAAAeFBLBQYAAAAAAQABAC8AAAAjAAAAAAA="

    private static func mixed(_ part: String, text: String = "Hello.") -> String {
        """
        From: a@example.org\r
        Subject: x\r
        MIME-Version: 1.0\r
        Content-Type: multipart/mixed; boundary="b"\r
        \r
        --b\r
        Content-Type: text/plain\r
        \r
        \(text)\r
        --b\r
        \(part)\r
        --b--\r

        """
    }

    private static let encoded =
        "Content-Type: application/octet-stream; name=x.exe\r\nContent-Transfer-Encoding: base64\r\n\r\n\(evil)"
    private static let plain = "Content-Type: application/octet-stream; name=x.exe\r\n\r\nThis is EVIL."
    private static let archive =
        "Content-Type: application/zip; name=x.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n\(zip)"
    private static let attachedMessage = "Content-Type: message/rfc822\r\n\r\n" + mixed(encoded)

    @Test(arguments: [encoded, plain, attachedMessage])
    func attachmentsAreRemovedAndNothingElse(_ part: String) throws {
        let message = Self.mixed(part)
        for mode in [CleanMode.standard, .strict, .rigorous] {
            let (decision, output) = try clean(message, mode)
            #expect(decision.antivirus == .deleted, "\(mode) \(decision)")
            #expect(try scan(output).findings.filter(\.isThreat).isEmpty)
            let text = String(decoding: output, as: UTF8.self)
            #expect(text.contains("\"x.exe\" was removed by esets"))
            #expect(text.contains("Hello."))
        }
        let (decision, output) = try clean(message, .none)
        #expect(decision.antivirus == .infected)
        #expect(output == Array(message.utf8))
    }

    @Test func archivesGoOnlyWhenTheModeIsStrict() throws {
        let message = Self.mixed(Self.archive)
        #expect(try !scan(Array(message.utf8)).threats.isEmpty)
        #expect(try clean(message, .standard).decision.antivirus == .infected)
        let (decision, output) = try clean(message, .strict)
        #expect(decision.antivirus == .deleted)
        #expect(decision.removals.first?.name == "x.zip")
        #expect(try !scan(output).isInfected)
    }

    @Test func infectedTextStaysUnlessTheModeIsRigorous() throws {
        let message = Self.mixed(Self.encoded, text: "This is EVIL too.")
        #expect(try clean(message, .strict).decision.antivirus == .infected)
        let (decision, output) = try clean(message, .rigorous)
        #expect(decision.antivirus == .deleted)
        #expect(try !scan(output).isInfected)
    }

    @Test func deleteReplacesEverything() throws {
        for part in [Self.encoded, Self.archive, Self.attachedMessage] {
            let (decision, output) = try clean(Self.mixed(part), .delete)
            #expect(decision.antivirus == .deleted)
            #expect(try !scan(output).isInfected)
            #expect(!String(decoding: output, as: UTF8.self).contains("Hello."))
        }
    }

    @Test func singlePartMessages() throws {
        let message = "Subject: x\r\n\(Self.encoded)\r\n"
        let (decision, output) = try clean(message, .standard)
        #expect(decision.antivirus == .deleted)
        #expect(try !scan(output).isInfected)
        #expect(String(decoding: output, as: UTF8.self).hasPrefix("Subject: x\r\nMIME-Version: 1.0\r\n"))
    }

    @Test func uuencodedFilesInText() throws {
        let message = "Subject: x\r\n\r\nText\r\nbegin 644 x.exe\r\n$159)3\r\n`\r\nend\r\nMore\r\n"
        let verdict = try scan(Array(message.utf8))
        #expect(verdict.isInfected)
        let (decision, output) = try clean(message, .standard)
        #expect(decision.antivirus == .deleted)
        #expect(try !scan(output).isInfected)
        let text = String(decoding: output, as: UTF8.self)
        #expect(text.hasPrefix("Subject: x\r\n\r\nText\r\n") && text.hasSuffix("More\r\n"))
    }

    @Test func signedMailStaysInfected() throws {
        let message = Self.mixed(Self.encoded).split(separator: "multipart/mixed").joined(separator: "multipart/signed")
        for mode in CleanMode.allCases {
            let (decision, output) = try clean(String(message), mode)
            #expect(decision.antivirus == .infected)
            #expect(output == Array(message.utf8))
        }
    }
}
