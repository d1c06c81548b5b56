import Bytes
import CFuzz
import Deltas
import Glibc

/// Deltas for a fixed file.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        Delta.fuzz(ByteView(base: data, count: size))
        return 0
    })
