import Archives
import BytesE
import CFuzz
import Glibc

/// Containers: em003 over any bytes.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzArchive(ByteView(base: data, count: size))
        return 0
    })
