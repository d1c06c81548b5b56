import Antispam
import BytesE
import CFuzz
import Glibc

/// The antispam database em006: opened and used without its checksum.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzAntispam(ByteView(base: data, count: size))
        return 0
    })
