import Bytes
import CFuzz
import Glibc
import SMTP

/// SMTP: a client's commands and content, a server's replies.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        precondition(fuzzSMTP(ByteView(base: data, count: size)), "an invariant of the SMTP library does not hold")
        return 0
    })
