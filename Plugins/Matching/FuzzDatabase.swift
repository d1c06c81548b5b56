package import BytesE
import CModuleABI

/// Opens any bytes as an em002 database and matches objects with it. For fuzzing and replay tests.
///
/// What follows the database's own size is one more object, so that a fuzzer can find what a signature wants.
package func fuzzDatabase(_ bytes: ByteView) {
    guard let database = try? Database(bytes) else { return }
    let size = bytes.load(UInt64.self, at: 16).map { Int(clamping: $0) } ?? bytes.count
    let scratch = Scratch()
    for type in [EM_TYPE_UNKNOWN, EM_TYPE_PE, EM_TYPE_ELF, EM_TYPE_TEXT] {
        use(database, bytes.dropFirst(size), type: type, scratch)
    }
    use(database, ByteView("malware ... ness..bb. abxc"), type: EM_TYPE_UNKNOWN, scratch)
    use(database, ByteView("ab cd"), type: EM_TYPE_UNKNOWN, scratch)
    // The head of an ELF file with one section, for offsets from an entry point and from sections.
    use(database, bytes.prefix(64), type: EM_TYPE_ELF, scratch)
}

private func use(_ database: Database, _ object: ByteView, type: UInt32, _ scratch: Scratch) {
    for all in [false, true] {
        // A budget of a few thousand steps is enough to reach everything, and keeps runs short.
        var checks = 0
        _ = database.match(
            object, type: type, all: all, scratch: scratch,
            check: {
                checks += 1
                return checks < 8
            }
        ) { match in
            if let signature = database.signature(match.signature) {
                precondition(signature.name.count <= 65_535)
                _ = signature.source.array
            }
        }
    }
}
