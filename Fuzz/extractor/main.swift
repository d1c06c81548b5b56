import Archives
import BytesE
import CFuzz
import Glibc

/// One container format of em003, which ESETS_EXTRACTOR names: any bytes are opened as if they were one.
func format() -> ByteView? {
    guard let name = getenv("ESETS_EXTRACTOR") else { return nil }
    return ByteView(base: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: strlen(name))
}

guard let chosen = format(), isExtractor(chosen) else {
    let text: StaticString = "ESETS_EXTRACTOR must name a format of em003; tools/fuzz does that\n"
    write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    exit(64)
}
exit(
    CFuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
        if let format = format() { fuzzExtractor(format, ByteView(base: data, count: size)) }
        return 0
    })
