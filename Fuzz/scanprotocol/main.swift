import CFuzz
import Glibc
import ScanProtocol

/// The scanning protocol: packets of one connection.
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        fuzzScanProtocol(UnsafeRawBufferPointer(start: data, count: size))
        return 0
    })
