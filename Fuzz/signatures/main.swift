import Bytes
import BytesE
import CFuzz
import DataModule
import Glibc
import Matching
import SignatureCompiler

/// Lines of signature files, of the kind that the first byte names: compiled, opened and used.
private let kinds = ["ldb", "ndb", "hsb", "fp", "mdb", "ldu", "ndu", "ign2"]

exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        let input = Bytes.ByteView(base: data, count: size)
        guard !input.isEmpty else { return 0 }
        let file = SignatureFile(
            name: "a." + kinds[Int(input[0]) % kinds.count], bytes: input.dropFirst(1))
        guard let compiled = try? SignatureCompiler.compile([file], version: 1),
            let bytes = try? compiled.database.bytes()
        else { return 0 }
        bytes.withUnsafeBytes { memory in
            guard let database = try? Database(BytesE.ByteView(memory)) else {
                fatalError("what was compiled is damaged")
            }
            let scratch = Scratch()
            for type in [UInt32(0), 4, 5, 2] {
                var checks = 0
                _ = database.match(
                    BytesE.ByteView(base: data, count: size), type: type, all: true, scratch: scratch,
                    check: {
                        checks += 1
                        return checks < 16
                    }
                ) { _ = database.signature($0.signature) }
            }
        }
        return 0
    })
