import BytesE
import CFuzz
import Glibc
import Normalization

/// The normalised forms of HTML and text.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzNormalization(ByteView(base: data, count: size))
        return 0
    })
