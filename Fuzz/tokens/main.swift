import Bytes
import CFuzz
import Glibc
import Tokens

/// Messages and pages: what the antispam engine reads.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzTokens(ByteView(base: data, count: size))
        return 0
    })
