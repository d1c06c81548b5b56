import BytesE
package import CModuleABI
import MIMEE
package import ModuleKit
package import Unpacking

/// Passwords to try on an object: those that fitted before in this scan, those of the option `av_scan_passwords` and of
/// the signature database, words of the object's name and of the messages that it lies in.
///
/// - Parameter type: what signatures call the object's type, "CL_TYPE_ZIP".
/// - Throws: what the host answers when the scan must end.
package func passwords(
    for object: UnsafePointer<em_object>, _ scan: ScanContext, as type: StaticString? = nil
) throws(ModuleError) -> [[UInt8]] {
    var result: [[UInt8]] = scan.notes?.fitting ?? []
    let listed = scan.text("av_scan_passwords")
    var start = 0
    while start < listed.count {
        let end = listed.firstIndex(of: 0x3a, from: start) ?? listed.count
        if end > start { result.append(listed.slice(start, end).array) }
        start = end + 1
    }
    result += databasePasswords(type, scan)
    guard scan.number("av_scan_password_words", otherwise: 1) != 0 else { return result }
    var names = WordCollector()
    names.add(name: ByteView(object.pointee.name))
    result += names.words
    guard let notes = scan.notes else { return result }
    if notes.words == nil {
        var collector = WordCollector()
        // Of messages in messages the nearest: the outer one often says what the inner one's archive wants.
        for message in notes.messages.reversed().prefix(3) { try collect(message, scan, &collector) }
        notes.words = collector.words
    }
    result += notes.words ?? []
    return result
}

/// Notes that a password fitted, and says so in the report, once for an archive of many files.
package func noteFitting(
    _ password: [UInt8], _ object: UnsafePointer<em_object>, _ scan: ScanContext
) {
    if scan.notes?.lastReported != object.pointee.id {
        scan.report(EM_FINDING_NOTE, object: object.pointee.id, name: ByteView("opened with a password that was found"))
        scan.notes?.lastReported = object.pointee.id
    }
    guard let notes = scan.notes, notes.fitting.count < 16, !notes.fitting.contains(password) else { return }
    notes.fitting.append(password)
}

extension Unpacker {
    /// Submits what the container is without its encryption, in its place and under its name.
    package final func submitDecrypted(_ output: inout Output, with password: [UInt8]) throws(ModuleError) {
        var child = Child()
        try close(&output, &child)
        noteFitting(password, object, scan)
        scan.notes?.opened.append(object.pointee.id)
        try submit(child, name: ByteView(object.pointee.name).array)
    }
}

/// Spends some work on trying a password, in rounds of a hash; false when the scan has spent enough.
package func mayTry(_ rounds: Int, _ scan: ScanContext, _ left: inout Int) throws(ModuleError) -> Bool {
    try scan.check()
    guard left >= rounds else { return false }
    left -= rounds
    guard let notes = scan.notes else { return true }
    guard notes.workLeft >= rounds else { return false }
    notes.workLeft -= rounds
    return true
}

/// Rounds that one object may cost.
package let mostRoundsOfObject = 3_000_000

/// Text of each part that is read, and parts.
private let mostText = 65_536
private let mostParts = 100

/// The words of the subject, of the texts, and of the names of the parts.
private func collect(
    _ message: ByteView, _ scan: ScanContext, _ collector: inout WordCollector
) throws(ModuleError) {
    var cursor = HeaderCursor(message: message.prefix(mostText))
    while let field = cursor.next() {
        guard field.isNamed("Subject", in: message) else { continue }
        let subject = EncodedWords.decode(field.value(in: message))
        subject.withUnsafeBufferPointer { collector.add(ByteView($0)) }
    }
    var walker = MIMEWalker(message)
    var parts = 0
    while parts < mostParts, let part = walker.next() {
        try scan.check()
        parts += 1
        guard part.kind == .leaf else { continue }
        if let name = part.names.first { name.withUnsafeBufferPointer { collector.add(name: ByteView($0)) } }
        guard part.isType("text/"), part.disposition.isEmpty || !part.isAttachment else { continue }
        let body = message.slice(part.body.lowerBound, part.body.upperBound).prefix(2 * mostText)
        var bytes = [UInt8](repeating: 0, count: mostText)
        var decoder = TransferDecoder(part.encoding)
        var from = 0
        var count = 0
        bytes.withUnsafeMutableBufferPointer { buffer in
            while from < body.count, buffer.count - count >= 64 {
                count += decoder.decode(body, from: &from, into: UnsafeMutableBufferPointer(rebasing: buffer[count...]))
            }
        }
        let label = part.charset.withUnsafeBufferPointer { Charset(label: ByteView($0)) }
        var text = bytes.withUnsafeBufferPointer { label.decode(ByteView($0).prefix(count)) }
        if part.isType("text/html") { text = text.withUnsafeBufferPointer { markupText(ByteView($0)) } }
        text.withUnsafeBufferPointer { collector.add(ByteView($0)) }
    }
}
