import Bytes
import CFuzz
import Glibc
import MIME

/// Messages: the parser in each of its readings.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzMIME(ByteView(base: data, count: size))
        return 0
    })
