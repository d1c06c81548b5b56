import Bytes
import CFuzz
import Glibc
import ModuleHost

/// Module files: the verifier, and what it accepts as data through the system's loader.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzModule(ByteView(base: data, count: size))
        return 0
    })
