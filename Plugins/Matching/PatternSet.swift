import BytesE
import CModuleABI
import DatabaseSections

/// The body patterns of a database and their indexes.
struct PatternSet {
    let patterns, elements, alternatives: Section
    let bytes: ByteView
    private let indexes: [PatternIndex]
    private let plans: Section

    /// Indexes a database may have: a few for each target type.
    private static let indexLimit = 256

    init(_ table: SectionTable) throws(DatabaseError) {
        patterns = try table.section(EM_SECTION_PATTERNS, element: MemoryLayout<em_pattern>.stride)
        elements = try table.section(EM_SECTION_ELEMENTS, element: MemoryLayout<em_element>.stride)
        alternatives = try table.section(EM_SECTION_ALTERNATIVES, element: MemoryLayout<em_alternative>.stride)
        bytes = try table.section(EM_SECTION_BYTES, element: 1).bytes
        plans = try table.section(EM_SECTION_TARGETS, element: MemoryLayout<em_target_plan>.stride)
        let list = try table.section(
            EM_SECTION_INDEXES, element: MemoryLayout<em_pattern_index>.stride, version: EM_INDEXES_VERSION)
        let data = try table.section(EM_SECTION_INDEX_DATA, element: 1).bytes
        guard list.count <= Self.indexLimit else {
            throw DatabaseError(.damaged, section: EM_SECTION_INDEXES, "too many indexes")
        }
        var indexes: [PatternIndex] = []
        for i in 0..<list.count {
            guard let head = list.element(i, as: em_pattern_index.self) else { break }
            indexes.append(try PatternIndex(head, data))
        }
        self.indexes = indexes
    }

    /// Runs the indexes of a plan (a target type's, or EM_PLAN_RULES_ONLY), and verifies what they propose.
    func match(
        _ object: ByteView, target: UInt32, plan: UInt32, all: Bool, rules: RuleSet, catalogue: Section,
        scratch: Scratch,
        check: () -> Bool
    ) -> MatchOutcome {
        guard
            let plan = plans.element(Int(plan), as: em_target_plan.self) ?? plans.element(0, as: em_target_plan.self)
        else { return .complete }
        // The verifier keeps the check only as long as this call lasts.
        return withoutActuallyEscaping(check) { check in
            var verifier = Verifier(
                set: self, rules: rules, catalogue: catalogue, object: object, target: target, all: all,
                scratch: scratch, check: check)
            for place in 0..<min(7, Int(plan.count)) {
                let number = withUnsafeBytes(of: plan.index) { $0.load(fromByteOffset: 4 * place, as: UInt32.self) }
                guard Int(number) < indexes.count else { return .failed }
                let index = indexes[Int(number)]
                index.matchFixed(object, &verifier)
                if verifier.goOn { index.scan(object, &verifier, check: check) }
                if !verifier.goOn { break }
            }
            return verifier.outcome
        }
    }
}
