import Bytes
import CFuzz
import CVD
import Glibc

/// Scripts of changes: applied without their signature.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzChanges(ByteView(base: data, count: size))
        return 0
    })
