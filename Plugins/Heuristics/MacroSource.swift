package import BytesE
package import CompoundFiles

/// The macros of an Office document, as its compound file shows them.
package struct MacroFacts: Equatable {
    /// It has a VBA project.
    package var hasProject = false
    /// A procedure of it runs when the document is opened or closed.
    package var runsByItself = false
    /// Its source starts programs or fetches files.
    package var startsPrograms = false

    private static let maximumModules = 128
    private static let maximumModuleSize = 2 << 20
    private static let maximumSource = 1 << 20

    /// Looks at a compound file: a binary document, or the vbaProject.bin of an OOXML one.
    package init(_ file: CompoundFile) {
        hasProject =
            file.contains("_VBA_PROJECT", kind: 2) || (file.contains("VBA", kind: 1) && file.contains("dir", kind: 2))
        guard hasProject else { return }
        var left = MacroFacts.maximumModules
        for (index, entry) in file.entries.enumerated() where entry.kind == 2 && left > 0 {
            if file.isNamed(index, "_VBA_PROJECT") || file.isNamed(index, "dir") || entry.size < 16 { continue }
            left -= 1
            let stream = file.stream(entry, limit: MacroFacts.maximumModuleSize)
            stream.withUnsafeBufferPointer { buffer in read(ByteView(buffer)) }
            if runsByItself && startsPrograms { return }
        }
    }

    /// Looks at one module stream: compiled code, then the compressed source, which begins with "Attribute VB_".
    private mutating func read(_ stream: ByteView) {
        // Compressed: flag byte 0, eight literals "Attribut", flag byte, then "e VB_".
        guard let hit = stream.firstIndex(of: ByteView("\0Attribut")), hit >= 3 else { return }
        let source = decompressedMacros(stream.dropFirst(hit - 3), limit: MacroFacts.maximumSource)
        source.withUnsafeBufferPointer { buffer in inspect(ByteView(buffer)) }
    }

    /// Looks for telling words in a source text; of lower-case words, whole ones count.
    package mutating func inspect(_ source: ByteView) {
        var index = 0
        while index < source.count {
            guard isIdentifier(source[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < source.count, isIdentifier(source[index]) { index += 1 }
            let word = source.slice(start, index)
            if FileName.has(
                word,
                "autoopen auto_open autoexec autoclose auto_close autonew document_open document_close document_new workbook_open workbook_activate workbook_beforeclose"
            ) {
                runsByItself = true
            } else if FileName.has(
                word, "shell shellexecute urldownloadtofile urldownloadtofilea powershell xmlhttp wscript")
            {
                startsPrograms = true
            }
        }
    }

    private func isIdentifier(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x5f
    }
}
