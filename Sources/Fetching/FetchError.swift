/// Why something was not fetched.
package struct FetchError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The address is none that is fetched from.
        case address
        /// The server cannot be reached, or the connection broke.
        case network
        /// The server, or the proxy, wants other credentials (401, 403, 407).
        case credentials
        /// The server has no such file (404, 410).
        case missing
        /// The server wants fewer requests (429, 503).
        case busy
        /// Any other answer that is not what was asked for.
        case status
        /// It is larger than it may be.
        case tooLarge
        /// What came is not what was expected.
        case damaged
        /// It cannot be written here.
        case files
    }

    package let kind: Kind
    /// Names the address, and says what happened.
    package let description: String
    /// Seconds after which a busy server may be asked again, if it said so.
    package let retryAfter: Int?
    /// The server's answer, if it was one that has a status.
    package let status: Int?

    package init(_ kind: Kind, _ description: String, retryAfter: Int? = nil, status: Int? = nil) {
        self.kind = kind
        self.description = description
        self.retryAfter = retryAfter
        self.status = status
    }

    /// Whether the same server may answer otherwise soon.
    package var isTemporary: Bool {
        switch kind {
        case .network, .busy: true
        default: false
        }
    }
}
