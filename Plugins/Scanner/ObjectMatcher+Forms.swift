import BytesE
import CModuleABI
import Matching
import ModuleKit
import Normalization

// Larger objects are matched as they are only; the limits are those that signatures are tested with.
private let htmlLimit = 40 << 20
private let withoutTagsLimit = 8 << 20
private let textLimit = 20 << 20
// What makes it a page has to stand in so many bytes.
private let headOfPage = 1024

/// In what forms signatures see an object.
struct ObjectForms: OptionSet {
    let rawValue: UInt8

    /// Those of HTML.
    static let markup = ObjectForms(rawValue: 1)
    /// Text in small letters.
    static let text = ObjectForms(rawValue: 2)
    /// Signatures do not see the object as it is.
    static let insteadOfObject = ObjectForms(rawValue: 4)
}

extension ObjectMatcher {
    /// The forms that signatures for HTML and for text are written against; none when they see the object as it is.
    ///
    /// As in ClamAV, a page that begins like one is seen in its forms only. Text that has tags further on is seen as it is and
    /// in the forms of HTML; in that of text, too, so that no tag hides it.
    func forms(of object: em_object) -> ObjectForms {
        let bytes = ByteView(object.data)
        switch object.type {
        case EM_TYPE_HTML:
            guard bytes.count <= htmlLimit else { return [] }
            return hasMarkup(bytes.prefix(headOfPage)) ? [.markup, .insteadOfObject] : .markup
        case EM_TYPE_TEXT:
            let markup: ObjectForms = bytes.count <= htmlLimit && hasMarkup(bytes) ? .markup : []
            return isNormalText(object) && markup.isEmpty ? [] : [markup, .text]
        // Other programs than browsers read scripts.
        case EM_TYPE_SCRIPT: return isNormalText(object) ? [] : .text
        default: return []
        }
    }

    /// Matches HTML without its comments, then without its tags.
    func matchHTML(_ object: em_object) throws(ModuleError) {
        let bytes = ByteView(object.data)
        guard !bytes.isEmpty, bytes.count <= htmlLimit else { return }
        try withMemory(object) { scan throws(ModuleError) in
            let room = NormalizedText.room(for: bytes.count)
            let memory = try scan.allocate(2 * room).assumingMemoryBound(to: UInt8.self)
            var forms = HTMLForms(
                bytes, withoutComments: NormalizedText(base: memory, capacity: room),
                withoutTags: NormalizedText(base: memory + room, capacity: room),
                findsLinks: isInMail && judgesLinks)
            var failure: ModuleError?
            let isWhole = forms.normalize {
                do throws(ModuleError) {
                    try scan.check()
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
            guard isWhole else { throw failure ?? .cancelled }
            if let links = forms.links { try judge(links.links, of: object) }
            try match(forms.withoutComments.bytes, as: EM_TYPE_HTML, of: object, .form(of: bytes))
            guard wantsMore, bytes.count <= withoutTagsLimit else { return }
            try match(forms.withoutTags.bytes, as: EM_TYPE_HTML, of: object, .form(of: bytes))
        }
    }

    /// Whether a text is matched as it is: it is in small letters with its white space folded, or too large to make it so.
    func isNormalText(_ object: em_object) -> Bool {
        let bytes = ByteView(object.data)
        return bytes.count > textLimit || PlainText.isNormal(bytes)
    }

    /// Matches text in small letters and with its white space folded.
    func matchText(_ object: em_object) throws(ModuleError) {
        let bytes = ByteView(object.data)
        try withMemory(object) { scan throws(ModuleError) in
            let memory = try scan.allocate(bytes.count).assumingMemoryBound(to: UInt8.self)
            var form = NormalizedText(base: memory, capacity: bytes.count)
            var afterSpace = false
            var at = 0
            while at < bytes.count {
                try scan.check()
                let part = bytes.slice(at, at + PlainText.step)
                PlainText.normalize(part, afterSpace: &afterSpace, into: &form)
                at += part.count
            }
            try match(form.bytes, as: object.type, of: object, .form(of: bytes))
        }
    }

    /// Gives what `body` took from the arena back. No memory left: the forms are not scanned, and that is told.
    private func withMemory(
        _ object: em_object, _ body: (ScanContext) throws(ModuleError) -> Void
    ) throws(ModuleError) {
        let scan = context
        let mark = scan.services.memory.pointee.mark(scan.handle)
        defer { scan.services.memory.pointee.release(scan.handle, mark) }
        do throws(ModuleError) {
            try body(scan)
        } catch {
            guard error.status == EM_E_MEMORY else { throw error }
            var object = object
            scan.exceeded(EM_BUDGET_MEMORY, &object)
        }
    }
}
