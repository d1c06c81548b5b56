import BytesE
import CFuzz
import Executables
import Glibc

/// Programs: what is read of them.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzExecutables(ByteView(base: data, count: size))
        return 0
    })
