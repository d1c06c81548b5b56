package import BytesE
import CModuleABI

/// Matches bytes against a database with rules; for fuzzing. Traps when a bound is broken.
package func fuzzRules(_ database: ByteView, object: ByteView) {
    guard let scanner = try? RuleScanner(database) else { return }
    var facts = Evaluator.Facts()
    facts.name = ByteView("sample.exe")
    facts.path = ByteView("/mail/sample.exe")
    facts.now = 1_700_000_000
    _ = scanner.scan(object, type: EM_TYPE_UNKNOWN, facts: facts) { _ in }
}
