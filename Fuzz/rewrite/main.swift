import Bytes
import CFuzz
import Glibc
import Mail

/// Messages: what goes on after parts were taken out.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzRewriting(ByteView(base: data, count: size))
        return 0
    })
