import BytesE
import CFuzz
import Glibc
import Images

/// Pictures of all formats.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzImages(ByteView(base: data, count: size))
        return 0
    })
