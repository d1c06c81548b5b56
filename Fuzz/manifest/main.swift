import CFuzz
import Generations
import Glibc

/// Manifests of generations, signed and not.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzManifest(UnsafeRawBufferPointer(start: data, count: size))
        return 0
    })
