import CModuleABI

/// Rules that any one of several parts may trigger, as they are all true when the rule is: which of them does is chosen
/// together with the anchors, so that few bytes in few places make an object worth a look.
struct TriggerChoices {
    /// The rules, by number.
    private(set) var rules: [UInt32] = []
    /// Patterns of their parts, one rule's after another's, the cheapest first.
    private var patterns: [UInt32] = []
    private var ends = [0]

    /// Parts of one rule that are looked at.
    static let most = 8

    /// - Parameter patterns: of parts that have one pattern each.
    mutating func add(rule: UInt32, patterns: some Sequence<UInt32>) {
        rules.append(rule)
        self.patterns += patterns
        ends.append(self.patterns.count)
    }

    /// The patterns of which one is enough, for the rule at a place of `rules`.
    subscript(number: Int) -> ArraySlice<UInt32> { patterns[ends[number]..<ends[number + 1]] }
}

extension RuleTrigger {
    /// Slots that each have a match whenever this is true.
    var required: [UInt32] {
        switch self {
        case .slot(let slot): [slot]
        case .all(let parts): parts.flatMap { $0.required }
        case .any(let parts): parts.count == 1 ? parts[0].required : []
        case .always, .never: []
        }
    }
}
