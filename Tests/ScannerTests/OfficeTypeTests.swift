import BytesE
import DatabaseSections
import Matching
import Testing

@testable import Scanner

/// What kind of Office document a ZIP file is taken for.
@Suite("Office documents")
struct OfficeTypeTests {
    private func type(_ names: [String]) -> UInt32? {
        var file: [UInt8] = []
        for name in names {
            file += [0x50, 0x4b, 3, 4] + [UInt8](repeating: 0, count: 26) + Array(name.utf8)
            file += [UInt8](repeating: 0xaa, count: 100)
        }
        return file.withUnsafeBufferPointer { officeType(ofZIP: ByteView($0)) }
    }

    @Test func entriesTell() {
        #expect(type(["word/document.xml"]) == FileType.code("CL_TYPE_OOXML_WORD"))
        #expect(type(["a", "b", "xl/workbook.xml"]) == FileType.code("CL_TYPE_OOXML_XL"))
        #expect(
            type(["[Content_Types].xml", "_rels/.rels", "docProps/app.xml", "docProps/core.xml", "ppt/x.xml"])
                == FileType.code("CL_TYPE_OOXML_PPT"))
    }

    @Test func otherFilesAreNone() {
        #expect(type([]) == nil)
        #expect(type(["a", "b", "c", "word/document.xml"]) == nil)
        #expect(type(["sword/document.xml", "exl/", "pptx"]) == nil)
        #expect(type(["[Content_Types].xml", "a", "b", "c"]) == nil)
    }
}
