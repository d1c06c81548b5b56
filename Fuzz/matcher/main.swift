import Bytes
import BytesE
import CFuzz
import DataModule
import Glibc
import Matching
import MatchingOracle
import SignatureCompiler

/// Rules and objects made from the input: the compiled database must say what the plain matcher says.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        var choices = Choices([UInt8](UnsafeBufferPointer(start: data, count: size)))
        let rules = (0..<(1 + choices.number(3))).map { _ in OracleGenerator.rule(&choices) }
        let lines = rules.enumerated().map { $1.line(name: "R\($0)") }.joined(separator: "\n")
        let text = Array(lines.utf8)
        text.withUnsafeBufferPointer { buffer in
            let file = SignatureFile(name: "a.ldb", bytes: Bytes.ByteView(buffer))
            guard let compiled = try? SignatureCompiler.compile([file], version: 1),
                let bytes = try? compiled.database.bytes()
            else { fatalError("does not compile:\n\(lines)") }
            precondition(compiled.report.rules == rules.count, "\(compiled.report.malformed) in\n\(lines)")
            bytes.withUnsafeBytes { memory in
                guard let database = try? Database(BytesE.ByteView(memory)) else { fatalError("damaged:\n\(lines)") }
                let scratch = Scratch()
                for _ in 0..<4 {
                    let object = OracleGenerator.object(&choices)
                    var found: Set<Int> = []
                    object.withUnsafeBytes { bytes in
                        _ = database.match(
                            BytesE.ByteView(bytes), type: 0, all: true, scratch: scratch, check: { true }
                        ) { found.insert($0.signature) }
                    }
                    for (number, rule) in rules.enumerated() {
                        precondition(
                            found.contains(number) == rule.isTrue(object), "rule \(number) of\n\(lines)\nin \(object)")
                    }
                }
            }
        }
        return 0
    })
