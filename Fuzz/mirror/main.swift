import Bytes
import CFuzz
import Glibc
import Mirror

/// The mirror: what of a request is parsed by ourselves.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzMirror(ByteView(base: data, count: size))
        return 0
    })
