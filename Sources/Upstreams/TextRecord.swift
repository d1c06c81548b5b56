import CResolver

/// TXT records of the DNS.
package enum TextRecord {
    package enum Answer: Sendable, Equatable {
        case text(String)
        /// The name has no such record.
        case none
        /// Nobody answered.
        case unreachable
    }

    /// Asks the system's resolver; waits some seconds at most.
    package static func ask(_ name: String) -> Answer {
        var text = [CChar](repeating: 0, count: 4096)
        let count = CResolver_text(name, &text, text.count)
        if count < 0 { return .unreachable }
        if count == 0 { return .none }
        return .text(String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
