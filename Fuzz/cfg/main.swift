import CFuzz
import Configuration
import Glibc

/// esets.cfg and a user file.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzConfiguration([UInt8](UnsafeBufferPointer(start: data, count: size)))
        return 0
    })
