import Configuration
import ScanProtocol

/// What agents counted, since the start of the manager.
struct AgentCounters {
    private static let names = 64
    private var counters: [String: [String: UInt64]] = [:]

    /// Adds what an agent sent. Only names that could be ours, and not too many: whatever a client sends here is shown
    /// to administrators.
    mutating func add(_ amounts: [String: UInt64], agent: String) {
        guard Sections.named(agent) != nil else { return }
        for (name, amount) in amounts {
            guard !name.isEmpty, name.utf8.count <= 32, name.utf8.allSatisfy(AgentCounters.isPlain),
                counters[agent]?[name] != nil || counters[agent, default: [:]].count < AgentCounters.names
            else { continue }
            counters[agent, default: [:]][name, default: 0] &+= amount
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            || byte == UInt8(ascii: "_")
    }

    /// "smtp.scanned", in order.
    var lines: [StatusLine] {
        counters.sorted { $0.key < $1.key }.flatMap { agent, amounts in
            amounts.sorted { $0.key < $1.key }.map { StatusLine("\(agent).\($0.key)", String($0.value)) }
        }
    }
}
