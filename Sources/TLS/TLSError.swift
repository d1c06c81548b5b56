/// Why certificates and keys could not be taken into use.
package struct TLSError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file or files concerned.
    package let subject: String
    /// The TLS library's reason.
    package let reason: String

    package var description: String { "TLS: \(subject): \(reason)" }
}
