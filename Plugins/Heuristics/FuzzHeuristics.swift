package import BytesE
import CModuleABI
import CompoundFiles

/// Looks at any bytes as em004 would: as a file, as a compound file with macros, as compressed macros, as a name. Traps
/// when a bound is broken. For fuzzing and replay tests.
package func fuzzHeuristics(_ bytes: ByteView) {
    if let file = CompoundFile(bytes) {
        precondition(file.entries.count <= CompoundFile.maximumEntries)
        _ = MacroFacts(file)
        for entry in file.entries.prefix(16) {
            precondition(file.stream(entry, limit: 10_000).count <= 10_000)
        }
    }
    // One chunk of 4096 bytes may go beyond the limit.
    let source = decompressedMacros(bytes, limit: 10_000)
    precondition(source.count <= 10_000 + 4_096)
    let content = ExecutableContent(bytes)
    for type in [EM_TYPE_UNKNOWN, EM_TYPE_PDF, EM_TYPE_OLE2] {
        for isEncrypted in [false, true] {
            let facts = ObjectFacts(
                name: bytes.prefix(300), content: content, type: type, declared: bytes.prefix(20),
                isEncrypted: isEncrypted, isAttachment: true, isInMail: true)
            for suspicion in facts.suspicions { precondition(suspicion.score > 0 && suspicion.score <= 100) }
        }
    }
}
