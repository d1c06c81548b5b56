import Bytes
import CFuzz
import CVD
import Glibc

/// Containers of signatures: read without their signature.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzCVD(ByteView(base: data, count: size))
        return 0
    })
