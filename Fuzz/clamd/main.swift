import Bytes
import CFuzz
import ClamdProtocol
import Glibc

/// clamd's protocol: what a client may send.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        precondition(fuzzClamd(ByteView(base: data, count: size)), "an invariant of clamd's protocol does not hold")
        return 0
    })
