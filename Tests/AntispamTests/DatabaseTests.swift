import BytesE
import CModuleABI
import SpamCompiler
import Testing
import TokensE

@testable import Antispam

@Suite struct DatabaseTests {
    @Test func rulesHoldAsWritten() throws {
        let driver = try Driver(
            database(
                """
                rule A
                  points 1
                  when subject begins "minutes" "x"
                  when not header X-Missing present
                rule B
                  points 2
                  when body contains "corrections by Thursday"
                  when rules A
                rule C
                  points 4
                  when from ends "@example.net"
                rule D
                  points 8
                  when header to contains "tom@EXAMPLE.com"
                  when fact recipients at-least 1
                  when fact recipients at-most 1
                rule E
                  points 16
                  when subject capitals 90
                rule F
                  points 32
                  when rules at-least 2 A B C
                rule G
                  points 64
                  when not bayes at-least 0.5
                  when body contains "nowhere in it"
                """))
        driver.judge(ham)
        #expect(driver.host.findings.map(\.name) == ["A", "B", "D", "F"])
        #expect(driver.score == 43_000)
    }

    @Test func learnedTokensDecide() throws {
        var trainer = SpamTrainer()
        for number in 0..<20 {
            trainer.learn(
                Array("Subject: cheap pills \(number)\n\norder cheap pills from our pharmacy today\n".utf8), as: .spam)
            trainer.learn(
                Array("Subject: meeting \(number)\n\nminutes of the meeting with corrections by Maria\n".utf8), as: .ham
            )
        }
        let bytes = try database(
            "rule SPAM\npoints 9\nwhen bayes at-least 0.95\nrule HAM\npoints -1\nwhen bayes at-most 0.05\n",
            trainer.statistics)
        let driver = try Driver(bytes)
        driver.judge("Subject: pills\n\ncheap pills, order from our pharmacy\n")
        #expect(driver.host.findings.map(\.name) == ["SPAM"])
        driver.judge("Subject: meeting\n\nthe minutes with corrections\n")
        #expect(driver.host.findings.map(\.name) == ["HAM"])
        driver.judge("\n\nzzzz\n")
        #expect(driver.host.findings.isEmpty)
    }

    @Test func everyLearnedTokenIsFoundAgain() throws {
        var statistics = TokenStatistics()
        statistics.add((1...3000).map { UInt64($0) &* 0x9e37_79b9_7f4a_7c15 }, as: .spam)
        statistics.add((1..<1000).map { UInt64($0) &* 0x9e37_79b9_7f4a_7c15 }, as: .ham)
        let bytes = try database("rule A\npoints 1\nwhen subject present\n", statistics)
        try bytes.withUnsafeBufferPointer { buffer in
            let opened = try AntispamDatabase(ByteView(buffer))
            for number: UInt64 in 1...3000 {
                let found = opened.counts(number &* 0x9e37_79b9_7f4a_7c15)
                #expect(found == TokenCounts(spam: 1, ham: number < 1000 ? 1 : 0))
            }
            #expect(opened.counts(12345).spam == 0)
            #expect(opened.learned.spam == 1 && opened.learned.ham == 1)
        }
    }

    @Test func damageIsRefusedOrHarmless() throws {
        let whole = try shippedDatabase()
        let message = Array("Subject: viagra\n\nyour account has been suspended, click here within 24 hours\n".utf8)
        var state: UInt64 = 0x1234_5678_9abc_def1
        for round in 0..<40 {
            var damaged = whole
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                // The front has header, directory and rules, where damage hurts most.
                let reach = round % 2 == 0 ? 400 : min(damaged.count, 20_000)
                damaged[Int((state >> 20) % UInt64(reach))] = UInt8(truncatingIfNeeded: state >> 56)
            }
            damaged.withUnsafeBufferPointer { buffer in
                guard let opened = try? AntispamDatabase(ByteView(buffer)) else { return }
                message.withView { view in
                    let content = MessageContent(view)
                    _ = content.tokens().map { opened.counts($0) }
                    var evaluation = RuleEvaluation(
                        opened, LiteralSearch(opened), content, Envelope(), probability: 0.5)
                    _ = evaluation.run()
                }
            }
        }
    }
}
