import CModuleABI
import SpamCompiler
import Testing

/// The letters that em006 is seeded with, judged by the shipped rules: a check of the rules' balance, not of accuracy.
@Suite struct TrainingLettersTests {
    @Test func hamStaysFarFromTheThresholdsAndSpamScoresMore() throws {
        let driver = try Driver(shippedDatabase())
        let ham = try scores(driver, "ham")
        let spam = try scores(driver, "spam")
        #expect(ham.allSatisfy { $0 < 10_000 }, "\(ham)")
        #expect(spam.count { $0 >= 10_000 } * 10 >= spam.count * 9, "\(spam)")
        #expect(spam.count { $0 >= 30_000 } * 3 >= spam.count, "\(spam)")
    }

    private func scores(_ driver: Driver, _ kind: String) throws -> [Int32] {
        try (1...24).map { number in
            let name = number < 10 ? "0\(number)" : "\(number)"
            driver.judge(try text("\(moduleSources)/training/\(kind)/\(name).eml"))
            return driver.score
        }
    }
}
