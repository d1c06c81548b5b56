#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// Reads any bytes as a message, as the antispam engine does, and as a page. Traps when a bound is broken. For fuzzing and
/// replay tests.
package func fuzzTokens(_ bytes: ByteView) {
    let content = MessageContent(bytes)
    precondition(content.text.count <= MessageContent.maximumText + 4)
    precondition(content.attachments.count <= MessageContent.maximumNames)
    let tokens = content.tokens()
    let classifier = Classifier(learned: TokenCounts(spam: 3, ham: 5))
    let probability = classifier.probability(of: tokens) { TokenCounts(spam: UInt32($0 & 3), ham: UInt32($0 >> 2 & 3)) }
    precondition(probability.map { $0 >= 0 && $0 <= 1 } ?? true, "no probability")
    var reader = HTMLReader(into: TextSink(limit: 1_000))
    reader.read(bytes)
    precondition(reader.links.count <= HTMLReader.maximumLinks)
    for link in reader.links {
        _ = link.isMismatched
        _ = registeredDomain(link.host)
        _ = isNumeric(host: link.host)
    }
    _ = reader.finish()
    _ = webLinks(inText: bytes, limit: 50)
    _ = MailAddress.list(bytes, limit: 50)
    _ = MailDate(bytes)
}
