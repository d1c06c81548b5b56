package import BytesE
package import CModuleABI
package import ModuleKit

/// An object of which the format is sought. Made once for all formats: what costs something is found out at most once.
package final class Candidate {
    package let scan: ScanContext
    package let object: em_object
    package let data: ByteView
    /// The media type that was declared for it, e.g. "text/html"; may be empty.
    package let declared: ByteView
    /// The name it has in its container, UTF-8; may be empty.
    package let name: ByteView
    /// Whether it is a message and nobody calls it a text: what its texts hold is sought in these, its children.
    package var isMessage = false

    package init(_ scan: ScanContext, _ object: em_object) {
        self.scan = scan
        self.object = object
        data = ByteView(object.data)
        declared = ByteView(object.declared)
        name = ByteView(object.name)
    }

    /// Whether it is called a text.
    package var isDeclaredText: Bool { declared.hasPrefix(ByteView("text/")) }

    /// Whether it is called a text or looks so.
    package private(set) lazy var isText = isDeclaredText || data.prefix(1024).firstIndex(of: 0) == nil

    /// What stands near its beginning; nothing is sought in what is no text, and in a message: its parts are its children.
    package private(set) lazy var head = HeadMarks(in: isText && !isMessage ? data : ByteView())

    /// What a text may hold; nothing for what is none.
    package private(set) lazy var marks: TextMarks = isText && !isMessage ? TextMarks(in: data) : []
}
