import BytesE
import DatabaseSections
import Matching

/// Which kind of Office document a ZIP file is, as `FileType` has it; nil for any other ZIP file.
///
/// The names of its first entries tell, as they do for ClamAV: one of the first three, or a later one when these are what
/// such documents begin with.
func officeType(ofZIP file: ByteView) -> UInt32? {
    let searched = file.prefix(officeSearchLimit)
    var from = 0
    var isLikely = false
    for number in 0..<officeHeaderLimit {
        guard let header = searched.firstIndex(of: ByteView("PK\u{3}\u{4}"), from: from) else { return nil }
        // ZIP specification, 4.3.7: the name follows thirty bytes of header.
        let name = file.dropFirst(header + 30)
        if name.hasPrefix(ByteView("xl/")) { return FileType.code("CL_TYPE_OOXML_XL") }
        if name.hasPrefix(ByteView("ppt/")) { return FileType.code("CL_TYPE_OOXML_PPT") }
        if name.hasPrefix(ByteView("word/")) { return FileType.code("CL_TYPE_OOXML_WORD") }
        if name.hasPrefix(ByteView("Contents/content.hpf")) { return FileType.code("CL_TYPE_OOXML_HWP") }
        if name.hasPrefix(ByteView("[Content_Types].xml")) || name.hasPrefix(ByteView("_rels/"))
            || name.hasPrefix(ByteView("docProps/")) || name.hasPrefix(ByteView("customXml/"))
        {
            isLikely = true
        }
        guard isLikely || number < 2 else { return nil }
        from = header + 4
    }
    return nil
}

/// Headers that are looked at, and bytes that they are searched in.
private let officeHeaderLimit = 64
private let officeSearchLimit = 1 << 20
