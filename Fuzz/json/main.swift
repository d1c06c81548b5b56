import CFuzz
import Glibc
import JSON

/// JSON, as the daemon and the tools write and read it.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzJSON(UnsafeRawBufferPointer(start: data, count: size))
        return 0
    })
