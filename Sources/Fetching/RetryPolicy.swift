/// When to ask a server again. Pure: time and chance come from outside.
///
/// A server that says when it wants to be asked again is not asked earlier; when that is too long to wait for, it is
/// left alone until then, by later updates too. One that is busy without saying how long gets a pause that doubles.
package struct RetryPolicy: Sendable {
    /// Requests for one thing at one server.
    package var attempts = 4
    /// Seconds before the second request; doubled each time.
    package var firstPause = 1.0
    package var longestPause = 60.0
    /// Seconds that an update waits because a server asks for it.
    package var patience = 120
    /// Seconds that a server is left alone which is busy again and again and does not say how long.
    package var restOfBusy = 900

    package init() {}

    package enum Decision: Equatable, Sendable {
        /// After so many seconds.
        case again(Double)
        /// Not in this update.
        case giveUp
        /// Not in this update, and not in others for so many seconds.
        case leaveAlone(Int)
    }

    /// - Parameters:
    ///   - attempt: how many requests were made, 1 for the first one.
    ///   - chance: 0 ..< 1, so that many clients do not come back at the same moment.
    package func decide(_ error: FetchError, attempt: Int, chance: Double) -> Decision {
        guard error.isTemporary else { return .giveUp }
        if let wait = error.retryAfter {
            guard attempt < attempts, wait <= patience else { return .leaveAlone(max(wait, 1)) }
            // Never earlier than it said.
            return .again(Double(wait) + chance * max(1, Double(wait) / 10))
        }
        guard attempt < attempts else { return error.kind == .busy ? .leaveAlone(restOfBusy) : .giveUp }
        var pause = error.kind == .busy ? firstPause * 4 : firstPause
        for _ in 1..<max(1, attempt) { pause = min(longestPause, pause * 2) }
        return .again(min(longestPause, pause) * (0.5 + chance))
    }
}
