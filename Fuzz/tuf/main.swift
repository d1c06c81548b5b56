import CFuzz
import Glibc
import TUF

/// An update from a server that has all the keys.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzTUF(UnsafeRawBufferPointer(start: data, count: size))
        return 0
    })
