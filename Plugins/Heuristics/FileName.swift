package import BytesE

/// What a file name tries to look like, and what a double click on it would do.
///
/// Pure and linear. The name may hold any bytes; folders in front of it are left off.
package struct FileName {
    /// The last component, without trailing dots and spaces, which Windows drops.
    package let effective: ByteView
    /// What follows the last dot of `effective`, at most 16 bytes; empty when there is none.
    package let ending: ByteView
    /// The ending before that ("pdf" of "invoice.pdf.exe"), without spaces around it; may be empty.
    package let inner: ByteView
    /// Dots or spaces stood behind the name.
    package let hasTrailingDots: Bool
    /// Spaces of any kind in the longest run before the ending: many push it out of sight.
    package let padding: Int
    /// A character stands in it that turns the direction of writing: "annexe\u{202e}fdp.exe" is shown as "annexeexe.pdf".
    package let turnsDirection: Bool

    package init(_ name: ByteView) {
        let name = name.prefix(4096)
        var start = 0
        for index in 0..<name.count where name[index] == 0x2f || name[index] == 0x5c { start = index + 1 }
        let last = name.dropFirst(start)
        var end = last.count
        while end > 0, last[end - 1] == 0x2e || isASCIISpace(last[end - 1]) { end -= 1 }
        effective = last.prefix(end)
        hasTrailingDots = end < last.count && end > 0
        turnsDirection = FileName.hasOverride(effective)
        guard let dot = FileName.lastDot(effective), effective.count - dot - 1 <= 16 else {
            ending = ByteView()
            inner = ByteView()
            padding = 0
            return
        }
        ending = effective.dropFirst(dot + 1)
        let (stem, width) = FileName.withoutPadding(effective.prefix(dot))
        padding = width
        if let innerDot = FileName.lastDot(stem), stem.count - innerDot - 1 <= 8 {
            inner = stem.dropFirst(innerDot + 1)
        } else {
            inner = ByteView()
        }
    }

    private static func lastDot(_ name: ByteView) -> Int? {
        var index = name.count - 1
        while index > 0 {
            if name[index] == 0x2e { return index }
            index -= 1
        }
        return nil
    }

    /// The stem without the spaces behind it, and how many those were.
    private static func withoutPadding(_ stem: ByteView) -> (ByteView, Int) {
        var end = stem.count
        var width = 0
        while end > 0 {
            if isASCIISpace(stem[end - 1]) {
                end -= 1
            } else if end >= 2, stem[end - 2] == 0xc2, stem[end - 1] == 0xa0 {
                end -= 2
            } else if end >= 3, stem[end - 3] == 0xe2, stem[end - 2] == 0x80, stem[end - 1] <= 0x8b {
                end -= 3
            } else if end >= 3, stem[end - 3] == 0xe3, stem[end - 2] == 0x80, stem[end - 1] == 0x80 {
                end -= 3
            } else {
                break
            }
            width += 1
        }
        return (stem.prefix(end), width)
    }

    /// U+202D and U+202E in UTF-8. The marks that Arabic and Hebrew names need (U+200E, U+200F, isolates) are none of them.
    private static func hasOverride(_ name: ByteView) -> Bool {
        var from = 0
        while let hit = name.firstIndex(of: 0xe2, from: from) {
            if hit + 2 < name.count, name[hit + 1] == 0x80, name[hit + 2] == 0xae || name[hit + 2] == 0xad {
                return true
            }
            from = hit + 1
        }
        return false
    }
}

// MARK: - Kinds of ending

extension FileName {
    /// Windows runs it as a program.
    package var isProgram: Bool { FileName.has(ending, "exe scr pif cpl com msi") }
    /// Windows hands it to an interpreter, or follows it.
    package var isScript: Bool { FileName.has(ending, "js jse vbs vbe wsf wsh hta bat cmd ps1 lnk scf jar") }
    /// A document, picture, film or sound, which holds no program.
    package var isDocument: Bool { FileName.isDocument(ending) }
    /// The ending before the last makes it look like a document.
    package var hasDocumentBefore: Bool { FileName.isDocument(inner) || FileName.has(inner, "txt csv") }
    /// Like `hasDocumentBefore`, for scripts: web projects have honest names such as "data.csv.js".
    package var hasOfficeDocumentBefore: Bool {
        FileName.has(inner, "pdf doc docx xls xlsx ppt pptx odt ods rtf jpg jpeg mp3 mp4 avi mov")
    }

    private static func isDocument(_ ending: ByteView) -> Bool {
        has(
            ending,
            "pdf doc docx docm xls xlsx xlsm ppt pptx odt ods odp rtf jpg jpeg png gif bmp tif tiff webp heic mp3 mp4 avi mov wav flac ogg mkv"
        )
    }

    /// Whether an ending is in a list written with single spaces.
    static func has(_ ending: ByteView, _ list: StaticString) -> Bool {
        guard !ending.isEmpty else { return false }
        let list = ByteView(list)
        var start = 0
        while start < list.count {
            let end = list.firstIndex(of: 0x20, from: start) ?? list.count
            if list.slice(start, end).equalsIgnoringCase(ending) { return true }
            start = end + 1
        }
        return false
    }
}
