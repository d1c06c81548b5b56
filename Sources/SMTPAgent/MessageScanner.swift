package import EventLoop
package import ScanProtocol

/// There is no verdict: the scanning service cannot be reached, is overloaded or gave up. The message is deferred.
package struct ScanUnavailable: Error, Sendable, Equatable {
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// What the agent needs of the scanning service.
package protocol MessageScanner: Sendable {
    /// Scans one message. Called on a reactor; must not block it.
    /// - Parameters:
    ///   - message: stays unchanged until the call returns.
    ///   - options: of the policy that applies to the message.
    ///   - envelope: sender, recipients and client.
    ///   - reactor: the one that the caller runs on.
    ///   - deadline: by then there must be an answer.
    /// - Returns: the verdict.
    /// - Throws: `ScanUnavailable` when there is none; never taken for clean.
    func scan(
        _ message: SpooledMessage, options: ScanOptions, envelope: ScanEnvelope, on reactor: Reactor, deadline: Deadline
    ) async throws(ScanUnavailable) -> ScanVerdict
}
