#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// A number that is measured of each message, for rules to compare (`fact NAME at-least N`).
///
/// Rules name them, so a name never changes its meaning; a rule with an unknown name is left out by older
/// modules.
package enum Fact: Int, CaseIterable, Sendable {
    case size, headers, hops, recipients, undisclosed, selfAddressed
    case fromNameAddress, fromMalformed, replyToDiffers, senderDiffers
    case dateInvalid, dateAhead, dateBehind, messageIDMalformed
    case heloNumeric, heloUnqualified
    case parts, textParts, htmlParts, htmlOnly, images, attachments, defects, encodedText
    case words, capitals, invisible, hidden, htmlImages, forms, scripts, refreshes
    case links, linkHosts, mismatchedLinks, numericLinks, punycodeLinks
    case learnedSpam, learnedHam

    /// What rules call it.
    package var name: StaticString {
        switch self {
        case .size: "size"
        case .headers: "headers"
        case .hops: "hops"
        case .recipients: "recipients"
        case .undisclosed: "undisclosed"
        case .selfAddressed: "self-addressed"
        case .fromNameAddress: "from-name-address"
        case .fromMalformed: "from-malformed"
        case .replyToDiffers: "reply-to-differs"
        case .senderDiffers: "sender-differs"
        case .dateInvalid: "date-invalid"
        case .dateAhead: "date-ahead"
        case .dateBehind: "date-behind"
        case .messageIDMalformed: "message-id-malformed"
        case .heloNumeric: "helo-numeric"
        case .heloUnqualified: "helo-unqualified"
        case .parts: "parts"
        case .textParts: "text-parts"
        case .htmlParts: "html-parts"
        case .htmlOnly: "html-only"
        case .images: "images"
        case .attachments: "attachments"
        case .defects: "defects"
        case .encodedText: "encoded-text"
        case .words: "words"
        case .capitals: "capitals"
        case .invisible: "invisible"
        case .hidden: "hidden"
        case .htmlImages: "html-images"
        case .forms: "forms"
        case .scripts: "scripts"
        case .refreshes: "refreshes"
        case .links: "links"
        case .linkHosts: "link-hosts"
        case .mismatchedLinks: "mismatched-links"
        case .numericLinks: "numeric-links"
        case .punycodeLinks: "punycode-links"
        case .learnedSpam: "learned-spam"
        case .learnedHam: "learned-ham"
        }
    }

    /// The fact with a name.
    package init?(name: ByteView) {
        var number = 0
        while let fact = Fact(rawValue: number) {
            if ByteView(fact.name).equals(name) {
                self = fact
                return
            }
            number += 1
        }
        return nil
    }

    /// How many there are.
    package static let count = Fact.learnedHam.rawValue + 1
}

/// The facts of one message; 0 until measured.
package struct Facts: Sendable {
    private var values = [Int64](repeating: 0, count: Fact.count)

    package init() {}

    package subscript(fact: Fact) -> Int64 {
        get { values[fact.rawValue] }
        set { values[fact.rawValue] = newValue }
    }
}
