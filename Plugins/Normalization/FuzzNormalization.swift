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

/// Looks for links as well: the forms stay the same, texts keep their limit.
private func judgeLinks(
    _ bytes: ByteView, _ space: UnsafeMutablePointer<UInt8>, _ room: Int, sizes: (comments: Int, tags: Int)
) {
    var forms = HTMLForms(
        bytes, withoutComments: NormalizedText(base: space, capacity: room),
        withoutTags: NormalizedText(base: space + room, capacity: room), findsLinks: true)
    _ = forms.normalize { true }
    precondition(forms.withoutComments.count == sizes.comments && forms.withoutTags.count == sizes.tags)
    for link in forms.links?.links ?? [] {
        precondition(link.target.count <= 1024 && link.shown.count <= 1024)
        for text in [link.target, link.shown] { judge(text) }
    }
    judge(bytes.prefix(1024).array)
}

/// Cleaning makes nothing longer; what is clean is judged.
private func judge(_ text: [UInt8]) {
    text.withUnsafeBufferPointer { buffer in
        let view = ByteView(buffer)
        for isTarget in [false, true] {
            _ = LinkText.isAddress(view, anyScheme: isTarget)
            let cleaned = LinkText.cleaned(view, isTarget: isTarget)
            precondition(cleaned.count <= text.count)
            cleaned.withUnsafeBufferPointer { cleaned in
                guard let host = LinkText.host(ByteView(cleaned), isTarget: isTarget) else { return }
                precondition(LinkText.domain(host.name).count <= host.name.count)
            }
        }
        var forms = 0
        CanonicalURL(view)?.forEachForm { _, _ in
            forms += 1
            return true
        }
        precondition(forms <= 30)
    }
}
