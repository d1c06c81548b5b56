import BytesE
import CModuleABI
import DatabaseSections
import Matching
import ModuleKit

/// What conditions of signatures call the type of an object that has others inside: a number, see `FileType`.
///
/// - Parameter format: how its children lie in it ("ZIP", "RAR", …), which tells archives apart.
func containerType(of object: em_object, format: ByteView) -> UInt32 {
    switch object.type {
    case EM_TYPE_ZIP: return officeType(ofZIP: ByteView(object.data)) ?? FileType.code("CL_TYPE_ZIP")
    case EM_TYPE_MAIL: return FileType.code("CL_TYPE_MAIL")
    case EM_TYPE_GZIP: return FileType.code("CL_TYPE_GZ")
    case EM_TYPE_TAR: return FileType.code("CL_TYPE_POSIX_TAR")
    case EM_TYPE_OLE2: return FileType.code("CL_TYPE_MSOLE2")
    case EM_TYPE_PDF: return FileType.code("CL_TYPE_PDF")
    case EM_TYPE_RTF: return FileType.code("CL_TYPE_RTF")
    case EM_TYPE_HTML: return FileType.code("CL_TYPE_HTML")
    case EM_TYPE_PE: return FileType.code("CL_TYPE_MSEXE")
    case EM_TYPE_ELF: return FileType.code("CL_TYPE_ELF")
    case EM_TYPE_TEXT: return FileType.code("CL_TYPE_TEXT_ASCII")
    case EM_TYPE_FLASH: return FileType.code("CL_TYPE_SWF")
    default: break
    }
    if format.equals(ByteView("7Z")) { return FileType.code("CL_TYPE_7Z") }
    if format.equals(ByteView("RAR")) { return FileType.code("CL_TYPE_RAR") }
    if format.equals(ByteView("CAB")) { return FileType.code("CL_TYPE_MSCAB") }
    if format.equals(ByteView("ARJ")) { return FileType.code("CL_TYPE_ARJ") }
    if format.equals(ByteView("CPIO")) { return FileType.code("CL_TYPE_CPIO_NEWC") }
    if format.equals(ByteView("ISO9660")) || format.equals(ByteView("ISO")) { return FileType.code("CL_TYPE_ISO9660") }
    if format.equals(ByteView("BZIP2")) { return FileType.code("CL_TYPE_BZ") }
    if format.equals(ByteView("XZ")) { return FileType.code("CL_TYPE_XZ") }
    if format.equals(ByteView("TNEF")) { return FileType.code("CL_TYPE_TNEF") }
    if format.equals(ByteView("CHM")) { return FileType.code("CL_TYPE_MSCHM") }
    return FileType.code("CL_TYPE_BINARY_DATA")
}
