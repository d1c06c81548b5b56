/// A question of a suspended scan that only the network can answer (`em_question` of em_module.h).
package struct Question: Sendable, Hashable {
    /// What is asked. The raw values are those of the module ABI (`EM_ASK_…`); others may come in later versions.
    package struct Kind: Sendable, Hashable, RawRepresentable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Answer: dotted addresses, one a line.
        package static let dnsA = Kind(rawValue: 1)
        /// Answer: one record a line.
        package static let dnsTXT = Kind(rawValue: 2)
        /// Answer: host names, one a line.
        package static let dnsMX = Kind(rawValue: 3)
        /// Answer: host names, one a line.
        package static let dnsPTR = Kind(rawValue: 4)
        /// Answer: as the provider of the reputation defines it.
        package static let reputation = Kind(rawValue: 16)
    }
    package var kind: Kind
    /// A DNS name, or the key of a reputation. At most `WireLimits.key` bytes.
    package var key: [UInt8]

    package init(kind: Kind, key: [UInt8]) {
        self.kind = kind
        self.key = key
    }
}

/// The answer to one question (`em_answer` of em_module.h).
package struct Answer: Sendable, Hashable {
    /// How it ended. The raw values are those of the module ABI (`EM_ANSWER_…`).
    package enum Result: UInt32, Sendable {
        case found = 0
        /// It certainly does not exist.
        case none
        /// Nobody knows: time-out, no resolver.
        case failed
    }
    package var question: Question
    package var result: Result
    /// One record a line; empty unless found. At most `WireLimits.answer` bytes.
    package var text: [UInt8]

    package init(question: Question, result: Result, text: [UInt8] = []) {
        self.question = question
        self.result = result
        self.text = text
    }
}
