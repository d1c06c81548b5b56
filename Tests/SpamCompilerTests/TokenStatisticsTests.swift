import CModuleABI
import SpamCompiler
import Testing
import Tokens

@Suite struct TokenStatisticsTests {
    @Test func learningAndForgetting() {
        var trainer = SpamTrainer()
        let message = Array("From: a@example.org\r\nSubject: cheap pills\r\n\r\nBuy cheap pills now\r\n".utf8)
        trainer.learn(message, as: .spam)
        #expect(trainer.statistics.learned == TokenCounts(spam: 1, ham: 0))
        let tokens = SpamTrainer.tokens(of: message)
        #expect(!tokens.isEmpty)
        #expect(tokens.allSatisfy { trainer.statistics.counts[$0] == TokenCounts(spam: 1, ham: 0) })
        trainer.learn(message, as: .ham)
        trainer.forget(message, as: .spam)
        trainer.forget(message, as: .ham)
        #expect(trainer.statistics == TokenStatistics())
    }

    @Test func theFileFormIsLossless() throws {
        var statistics = TokenStatistics()
        statistics.add([1, 2, .max], as: .spam)
        statistics.add([2], as: .ham)
        let bytes = statistics.serialized()
        #expect(try TokenStatistics(serialized: bytes, file: "x") == statistics)
        for cut in 0..<bytes.count {
            #expect(throws: SpamCompilerError.self) {
                try TokenStatistics(serialized: Array(bytes[..<cut]), file: "x")
            }
        }
    }

    @Test func everyTokenIsInTheTable() {
        var statistics = TokenStatistics()
        // Hashes that crowd into few buckets.
        let tokens = (0..<150).map { UInt64($0) << 40 | UInt64($0 % 7) }
        statistics.add(tokens, as: .spam)
        let table = TokenTable(statistics)
        #expect(table.buckets.count & (table.buckets.count - 1) == 0)
        let kept = table.buckets.reduce(0) { sum, bucket in
            var bucket = bucket
            return sum
                + withUnsafeBytes(of: &bucket.tokens) { bytes in
                    bytes.bindMemory(to: em_antispam_token.self).count { $0.spam | $0.ham != 0 }
                }
        }
        #expect(kept == 150)
        #expect(table.dropped == 0)
    }

    @Test func hashesThatCrowdTooMuchEndInDroppedTokens() {
        var statistics = TokenStatistics()
        statistics.add((1...2000).map { UInt64($0) << 40 }, as: .spam)
        let table = TokenTable(statistics)
        #expect(table.dropped == 2000 - 32 * 5)
    }
}
