import BytesE
import CFuzz
import Glibc
import Matching

/// The signature database em002: opened and used without its checksum.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzDatabase(ByteView(base: data, count: size))
        return 0
    })
