import BytesE
import CFuzz
import Glibc
import Heuristics

/// Files: what em004 looks for.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzHeuristics(ByteView(base: data, count: size))
        return 0
    })
