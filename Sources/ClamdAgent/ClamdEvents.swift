package import ScanProtocol

/// Where connections tell what happens.
package struct ClamdEvents: Sendable {
    package enum Level: Sendable {
        case error, warning, info, debug
    }

    /// One object and what was answered.
    package struct Scan: Sendable {
        /// Of the connection.
        package let connection: UInt32
        /// Path, "stream" or "fd[12]".
        package let object: String
        package let size: UInt64
        package let reply: VerdictReply
        /// nil when there is none.
        package let verdict: ScanVerdict?
    }

    /// Level, number of the connection (0 for none), text.
    package var text: @Sendable (Level, UInt32, String) -> Void
    package var scanned: @Sendable (Scan) -> Void

    package init(
        text: @escaping @Sendable (Level, UInt32, String) -> Void, scanned: @escaping @Sendable (Scan) -> Void
    ) {
        self.text = text
        self.scanned = scanned
    }
}
