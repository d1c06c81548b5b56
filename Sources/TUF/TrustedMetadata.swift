/// What was accepted before and kept: file names without versions ("root.json", "timestamp.json", "bins-3.json") and
/// their bytes. Only the root counts as it is; all else is checked again.
package struct TrustedMetadata: Sendable {
    package var files: [String: [UInt8]]

    /// Everything that a directory has.
    package init(files: [String: [UInt8]]) {
        self.files = files
    }

    /// A first time: nothing but a root that came on a trusted way.
    package init(root: [UInt8]) {
        files = ["root.json": root]
    }
}

/// A change of what is kept.
package enum Kept: Sendable, Equatable {
    case write(name: String, bytes: [UInt8])
    case remove(name: String)
}
