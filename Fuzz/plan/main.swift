import BytesE
import CFuzz
import Glibc
import Loader

/// Which modules are loaded, and in which order.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzPlan(ByteView(base: data, count: size))
        return 0
    })
