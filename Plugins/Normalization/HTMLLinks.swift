import BytesE

/// A link of an HTML document: where it leads, and what the reader is shown.
package struct HTMLLink {
    package enum Kind {
        /// The content of an `a` element, or its title.
        case anchor
        /// A picture, frame or area within an `a` element or a form.
        case image
        /// Something within a form, whose action is where it leads.
        case form
    }

    package let kind: Kind
    /// Up to 1,024 bytes of each.
    package let target, shown: [UInt8]
}

/// Finds the links of an HTML document that show something which may be an address.
///
/// Cisco-Talos/clamav-documentation, PhishSigs, "Extraction of RealURL, DisplayedURL from HTML tags".
package struct HTMLLinks {
    /// Links looked at in one document, and bytes kept of a text.
    package static let limit = 4096
    static let textLimit = 1024

    package private(set) var links: [HTMLLink] = []
    /// What `a` element the text is in: where it leads, and its text so far.
    private var anchor: (target: [UInt8], text: [UInt8])?
    /// The action of the form that is open.
    private var form: [UInt8]?

    package init() {}

    /// Text between two tags, as it stands in the document.
    mutating func text(_ bytes: ByteView) {
        guard anchor != nil else { return }
        for byte in bytes.buffer {
            guard anchor?.text.count ?? Self.textLimit < Self.textLimit else { return }
            if byte == 0 || byte == 0x0d { continue }
            anchor?.text.append(byte == 0x0a ? 0x20 : byte)
        }
    }

    /// A tag with its attributes, the values without quotation marks.
    mutating func tag(_ name: ByteView, href: [UInt8]?, title: [UInt8]?, source: [UInt8]?, action: [UInt8]?) {
        if name.equals(ByteView("/a")) {
            endAnchor()
        } else if name.equals(ByteView("/form")) {
            form = nil
        } else if name.equals(ByteView("form")) {
            form = action
        } else if name.equals(ByteView("a")) {
            guard let href, !href.isEmpty else { return }
            endAnchor()
            if let title, !title.isEmpty { add(.form, href, title) }
            if let form { add(.form, form, href) }
            anchor = (href, [])
        } else if name.equals(ByteView("img")) || name.equals(ByteView("iframe")) {
            inner(source, name.equals(ByteView("img")) ? .image : .form)
        } else if name.equals(ByteView("area")) {
            inner(href, .form)
        }
    }

    /// Something that the reader sees within an `a` element or a form.
    private mutating func inner(_ shown: [UInt8]?, _ kind: HTMLLink.Kind) {
        guard let shown, !shown.isEmpty else { return }
        if let anchor { add(kind, anchor.target, shown) }
        if let form { add(.form, form, shown) }
    }

    private mutating func endAnchor() {
        guard let anchor else { return }
        self.anchor = nil
        add(.anchor, anchor.target, anchor.text)
    }

    private mutating func add(_ kind: HTMLLink.Kind, _ target: [UInt8], _ shown: [UInt8]) {
        guard links.count < Self.limit else { return }
        links.append(HTMLLink(kind: kind, target: target, shown: shown))
    }

    /// The document ends: an element that is open ends too.
    mutating func finish() { endAnchor() }
}
