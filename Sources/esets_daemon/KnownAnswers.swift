import ModuleHost
import ScanProtocol

/// Objects whose verdicts are known: a generation that judges one of them wrongly is refused, whoever signed it.
struct KnownAnswers {
    let generation: Generation

    private struct Sample {
        let name: String
        let bytes: [UInt8]
        let isThreat: Bool
        /// Whether the antispam engine must call it spam.
        var isSpam = false

        init(name: String, text: String, isThreat: Bool, isSpam: Bool = false) {
            self.init(name: name, bytes: Array(text.utf8), isThreat: isThreat)
            self.isSpam = isSpam
        }

        init(name: String, bytes: [UInt8], isThreat: Bool) {
            self.name = name
            self.bytes = bytes
            self.isThreat = isThreat
        }
    }

    private static let gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

    // In two pieces, so that no scanner finds the test file in this program.
    private static let eicar = #"X5O!P%@AP[4\PZX54(P^)7CC)7}$"# + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

    private static let clean = """
        Return-Path: <anna@example.org>\r
        From: Anna <anna@example.org>\r
        To: Bert <bert@example.net>\r
        Subject: Tomorrow\r
        Date: Mon, 5 Jan 2026 10:00:00 +0100\r
        Message-ID: <1@example.org>\r
        MIME-Version: 1.0\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        Hello Bert,\r
        \r
        shall we meet at ten? I bring the plans.\r
        \r
        Anna\r

        """

    private static let attached = """
        From: a@example.org\r
        To: b@example.net\r
        Subject: file\r
        MIME-Version: 1.0\r
        Content-Type: multipart/mixed; boundary=b\r
        \r
        --b\r
        Content-Type: text/plain\r
        \r
        See the file.\r
        --b\r
        Content-Type: application/octet-stream; name=f.com\r
        Content-Transfer-Encoding: base64\r
        \r
        WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNU\r
        LUZJTEUhJEgrSCo=\r
        --b--\r

        """

    private var samples: [Sample] {
        var samples = [
            Sample(name: "a clean message", text: KnownAnswers.clean, isThreat: false),
            Sample(name: "an empty object", text: "", isThreat: false),
        ]
        if has("em005") {
            let text = KnownAnswers.clean + KnownAnswers.gtube + "\r\n"
            samples.append(Sample(name: "the GTUBE test message", text: text, isThreat: false, isSpam: true))
        }
        // Every signature database holds the test file.
        guard generation.signatureCount > 0 else { return samples }
        samples.append(Sample(name: "the EICAR test file", text: KnownAnswers.eicar, isThreat: true))
        if has("em003") {
            samples.append(
                Sample(name: "the EICAR test file in a message", text: KnownAnswers.attached, isThreat: true))
            samples += KnownContainers.all.map {
                Sample(
                    name: "the EICAR test file in \($0.name)", bytes: KnownContainers.bytes($0.base64), isThreat: true)
            }
        }
        return samples
    }

    private func has(_ module: String) -> Bool {
        generation.modules.contains { $0.file.hasPrefix(module) }
    }

    /// Points above which a message is spam, whatever the configuration says.
    private static let spamScore = 90.0

    /// - Throws: `LoadError` naming the first sample that is judged wrongly.
    func check() throws(LoadError) {
        for sample in samples {
            let verdict = try scan(sample)
            guard verdict.isInfected == sample.isThreat else {
                let found = Set(verdict.threats.map(\.name)).sorted().joined(separator: ", ")
                throw LoadError(
                    "known answers", sample.name, sample.isThreat ? "no threat is found in it" : "is called \(found)")
            }
            guard (verdict.spamScore ?? 0 >= KnownAnswers.spamScore) == sample.isSpam else {
                let score = Int(min(1_000, verdict.spamScore ?? 0))
                throw LoadError("known answers", sample.name, "has \(score) points of spam")
            }
            if let gap = verdict.notScanned.first {
                throw LoadError("known answers", sample.name, "was not scanned: \(gap.name)")
            }
        }
    }

    private func scan(_ sample: Sample) throws(LoadError) -> ScanVerdict {
        let scan = try Scan(
            generation: generation, object: ObjectBytes(sample.bytes), name: sample.name,
            options: OptionTable(ScanOptions(numbers: ["antispam": 1]), ScanEnvelope(agent: "cli")))
        while true {
            switch scan.run() {
            case .done(let verdict): return verdict
            case .suspended(let questions):
                scan.provide(questions.map { Answer(question: $0, result: .failed) })
            }
        }
    }
}
