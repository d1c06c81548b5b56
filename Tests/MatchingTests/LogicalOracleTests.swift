import Foundation
import Matching
import MatchingOracle
import SignatureCompiler
import Testing

@Suite("Rules compared with a plain matcher")
struct LogicalOracleTests {
    @Test("agrees on random rules", arguments: 0..<6)
    func agrees(_ seed: Int) throws {
        var choices = Choices([], seed: UInt64(seed) + 11)
        let scratch = Scratch()
        var (matched, missed) = (0, 0)
        for _ in 0..<120 {
            let rules = (0..<3).map { _ in OracleGenerator.rule(&choices) }
            let lines = rules.enumerated().map { $1.line(name: "R\($0)") }.joined(separator: "\n")
            let database = try TestDatabase(["a.ldb": lines])
            #expect(database.report.rules == 3, "\(database.report.malformed) \(database.report.unsupported)")
            for _ in 0..<10 {
                let object = OracleGenerator.object(&choices)
                let result = database.matches(object, scratch: scratch)
                #expect(result.outcome == .complete)
                for (number, rule) in rules.enumerated() {
                    let expected = rule.isTrue(object)
                    if expected { matched += 1 } else { missed += 1 }
                    #expect(result.found.contains("R\(number)") == expected, "\(rule.line(name: "R")) in \(object)")
                }
            }
        }
        // Neither side may be trivial.
        #expect(matched > 200 && missed > 200)
    }

    @Test("what the fuzzer reached", arguments: ["matcher", "reached/matcher"])
    func corpus(_ folder: String) throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fuzz/corpora/\(folder)")
        let names = try FileManager.default.contentsOfDirectory(atPath: path.path)
        #expect(!names.isEmpty)
        for name in names {
            var choices = Choices([UInt8](try Data(contentsOf: path.appending(path: name))))
            let rules = (0..<(1 + choices.number(3))).map { _ in OracleGenerator.rule(&choices) }
            let lines = rules.enumerated().map { $1.line(name: "R\($0)") }.joined(separator: "\n")
            let database = try TestDatabase(["a.ldb": lines])
            for _ in 0..<4 {
                let object = OracleGenerator.object(&choices)
                let found = database.matches(object).found
                for (number, rule) in rules.enumerated() {
                    #expect(found.contains("R\(number)") == rule.isTrue(object), "\(rule.line(name: "R")) in \(object)")
                }
            }
        }
    }
}
