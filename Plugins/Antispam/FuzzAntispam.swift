package import BytesE
import CModuleABI
import TokensE

/// Opens any bytes as an em006 database and judges a message with it: what follows the database's own size. Traps when
/// a promise is broken. For fuzzing and replay tests.
package func fuzzAntispam(_ bytes: ByteView) {
    guard let database = try? AntispamDatabase(bytes) else { return }
    let size = bytes.load(UInt64.self, at: 16).map { Int(clamping: $0) } ?? bytes.count
    let search = LiteralSearch(database)
    var envelope = Envelope()
    envelope.sender = ByteView("a@example.org").array
    envelope.helo = ByteView("mail.example.org").array
    envelope.client = ByteView("192.0.2.1").array
    for message in [
        bytes.dropFirst(size), ByteView("Subject: minutes\nFrom: A <a@b.example>\n\ncheap pills http://c.example/\n"),
    ] {
        let content = MessageContent(message) { true }
        let probability = Classifier(learned: database.learned).probability(of: content.tokens()) {
            database.counts($0)
        }
        if let probability { precondition(probability >= 0 && probability <= 1, "no probability: \(probability)") }
        var evaluation = RuleEvaluation(database, search, content, envelope, probability: probability)
        for index in evaluation.run() {
            precondition(index >= 0 && index < database.ruleCount)
            _ = database.text(database.rule(index).name).array
            _ = database.text(database.rule(index).description).array
        }
    }
}
