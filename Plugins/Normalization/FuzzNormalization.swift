package import BytesE

/// Makes the normalised forms of any bytes. For fuzzing and replay tests.
package func fuzzNormalization(_ bytes: ByteView) {
    let room = NormalizedText.room(for: bytes.count)
    let space = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * room)
    defer { space.deallocate() }
    var checks = 0
    var forms = HTMLForms(
        bytes, withoutComments: NormalizedText(base: space, capacity: room),
        withoutTags: NormalizedText(base: space + room, capacity: room))
    _ = forms.normalize {
        checks += 1
        return true
    }
    precondition(checks <= bytes.count / 65_536 + 1)
    // The room that is promised to be enough is enough.
    precondition(!forms.withoutComments.isCut && !forms.withoutTags.isCut)

    var text = NormalizedText(base: space, capacity: room)
    var afterSpace = false
    PlainText.normalize(bytes, afterSpace: &afterSpace, into: &text)
    precondition(!text.isCut && text.count <= bytes.count)
    // In two pieces it is the same.
    var pieces = NormalizedText(base: space + room, capacity: room)
    afterSpace = false
    PlainText.normalize(bytes.prefix(bytes.count / 2), afterSpace: &afterSpace, into: &pieces)
    PlainText.normalize(bytes.dropFirst(bytes.count / 2), afterSpace: &afterSpace, into: &pieces)
    precondition(pieces.bytes.equals(text.bytes))
    // What is normal already stays as it is.
    if PlainText.isNormal(bytes) { precondition(text.bytes.equals(bytes)) }
}
