import Bytes
import BytesE
import CFuzz
import DataModule
import Glibc
import SignatureCompiler
import YARAEngine

/// YARA rules from text to verdict: rules, a zero byte, and the object that they are tried on.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        let input = UnsafeBufferPointer(start: data, count: size)
        let end = input.firstIndex(of: 0) ?? size
        let file = SignatureFile(name: "fuzz.yar", bytes: Bytes.ByteView(base: data, count: end))
        guard let compiled = try? SignatureCompiler.compile([file], version: 1).database.bytes() else { return 0 }
        let object = BytesE.ByteView(base: data, count: size).dropFirst(end + 1)
        compiled.withUnsafeBufferPointer { fuzzRules(BytesE.ByteView($0), object: object) }
        return 0
    })
