import Bytes
import Tokens

/// Learns messages: reads them exactly as em005 does, and counts their tokens.
package struct SpamTrainer: Sendable {
    package private(set) var statistics: TokenStatistics

    /// - Parameter statistics: what was learned before.
    package init(_ statistics: TokenStatistics = TokenStatistics()) {
        self.statistics = statistics
    }

    package mutating func learn(_ message: [UInt8], as label: TokenStatistics.Label) {
        statistics.add(Self.tokens(of: message), as: label)
    }

    /// Undoes `learn`.
    package mutating func forget(_ message: [UInt8], as label: TokenStatistics.Label) {
        statistics.remove(Self.tokens(of: message), as: label)
    }

    /// The tokens of a message.
    package static func tokens(of message: [UInt8]) -> [UInt64] {
        message.withView { MessageContent($0).tokens() }
    }
}
