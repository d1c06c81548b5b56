import Bytes
import MIME
import ScanProtocol

@testable import Mail

/// Runs a body with a view of the text's bytes.
func withView<R>(_ text: String, _ body: (ByteView) throws -> R) rethrows -> R {
    let bytes = [UInt8](text.utf8)
    return try bytes.withUnsafeBufferPointer { try body(ByteView($0)) }
}

/// Lines with CR LF.
func crlf(_ text: String) -> String {
    String(decoding: text.utf8.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }, as: UTF8.self)
}

func outline(_ text: String) -> MessageOutline { withView(text) { MessageOutline($0) } }

/// The new message.
func rewrite(
    _ text: String, _ decision: Decision, _ modification: Modification = Modification(),
    values: TemplateValues? = nil
) -> String {
    withView(text) { view in
        let rewriter = MessageRewriter(
            message: view, decision: decision, modification: modification,
            values: values
                ?? TemplateValues(
                    decision, databaseVersion: 42, productVersion: "5.0", sender: "s@example.org",
                    recipients: ["r@example.org"], subject: "", time: 1_530_446_400,
                    host: "mx.example.org"))
        return String(decoding: join(rewriter.segments(), view), as: UTF8.self)
    }
}

func join(_ segments: [Segment], _ message: ByteView) -> [UInt8] {
    var result: [UInt8] = []
    for segment in segments {
        switch segment {
        case .original(let range): result += message.slice(range.lowerBound, range.upperBound).array
        case .bytes(let bytes): result += bytes
        }
    }
    return result
}

/// Whether the bytes of a piece occur. (`contains` takes CR LF for one character, so it would overlook a "\n…".)
func has(_ text: String, _ piece: String) -> Bool {
    withView(text) { view in withView(piece) { view.firstIndex(of: $0) != nil } }
}

/// The range of a piece of text in a message.
func range(of piece: String, in text: String) -> Range<UInt64> {
    withView(text) { view in
        withView(piece) { needle in
            let start = UInt64(view.firstIndex(of: needle) ?? -1)
            return start..<(start + UInt64(needle.count))
        }
    }
}

func verdict(_ findings: [Finding] = [], _ objects: [ObjectInfo] = [], score: Double? = nil) -> ScanVerdict {
    var verdict = ScanVerdict()
    verdict.findings = findings
    verdict.objects = [ObjectInfo(id: 1, parent: 0, type: 1)] + objects
    verdict.spamScore = score
    return verdict
}

/// The parts of a message as "mediatype: decoded body".
func parts(_ text: String) -> [String] {
    withView(text) { view in
        var walker = MIMEWalker(view)
        var result: [String] = []
        while let part = walker.next() {
            guard part.kind == .leaf else { continue }
            let body = String(decoding: part.decoded(in: view, limit: 1 << 20), as: UTF8.self)
            result.append("\(String(decoding: part.mediaType, as: UTF8.self)): \(body)")
        }
        return result
    }
}

/// A message with a text and an attachment.
let mixed = crlf(
    """
    Received: from a by b; Sun, 01 Jul 2018 12:00:00 +0000
    From: s@example.org
    Subject: Offer
    MIME-Version: 1.0
    Content-Type: multipart/mixed; boundary="b1"

    preamble
    --b1
    Content-Type: text/plain; charset=utf-8

    Hello.
    --b1
    Content-Type: application/octet-stream; name="x.exe"
    Content-Transfer-Encoding: base64
    Content-Disposition: attachment; filename="x.exe"
    X-Kept: yes

    TVqQAAMAAAAEAAAA
    --b1
    Content-Type: image/png; name="y.png"
    Content-Transfer-Encoding: base64

    iVBORw0KGgo=
    --b1--

    """)
