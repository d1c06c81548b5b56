package import BytesE
package import DatabaseSections
package import Matching

/// A database with YARA rules and what is needed to match objects against all of it: for tests, fuzzing and tools.
package final class RuleScanner {
    package let database: Database
    private let evaluator: Evaluator
    private let scratch = Scratch()

    /// - Parameter data: as in `Database`; must outlive this.
    ///   `foreign` as in `Evaluator`.
    package init(
        _ data: ByteView, foreign: @escaping (ByteView, ByteView) -> ForeignFunction? = { _, _ in nil }
    ) throws(DatabaseError) {
        database = try Database(data)
        evaluator = Evaluator(try RuleTables(data), foreign: foreign)
    }

    /// Matches an object against all signatures.
    ///
    /// - Returns: how it ended; `.limit` too when a rule could not be decided.
    package func scan(
        _ object: ByteView, type: UInt32, facts: Evaluator.Facts = Evaluator.Facts(), report: (Match) -> Void
    ) -> MatchOutcome {
        let evaluator = evaluator
        let scratch = scratch
        evaluator.begin(object, facts: facts, hits: scratch.hits, check: { true })
        defer { evaluator.end() }
        let outcome = database.match(
            object, type: type, all: true, scratch: scratch, check: { true },
            yara: { rule, _, _ in evaluator.isTrue(rule) }, report: report)
        if evaluator.isBroken { return .failed }
        return outcome == .complete && evaluator.isOverLimit ? .limit : outcome
    }
}
