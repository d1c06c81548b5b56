import CModuleABI

extension Database {
    /// The ClamAV target type (EM_TARGET_…) of an object type (EM_TYPE_…); types without one are EM_TARGET_ANY.
    static func target(ofType type: UInt32) -> UInt32 {
        switch type {
        case EM_TYPE_PE: EM_TARGET_PE
        case EM_TYPE_OLE2: EM_TARGET_OLE2
        case EM_TYPE_HTML: EM_TARGET_HTML
        case EM_TYPE_MAIL: EM_TARGET_MAIL
        case EM_TYPE_GRAPHICS: EM_TARGET_GRAPHICS
        case EM_TYPE_ELF: EM_TARGET_ELF
        case EM_TYPE_TEXT, EM_TYPE_SCRIPT: EM_TARGET_TEXT
        case EM_TYPE_MACHO: EM_TARGET_MACHO
        case EM_TYPE_PDF: EM_TARGET_PDF
        case EM_TYPE_FLASH: EM_TARGET_FLASH
        case EM_TYPE_JAVA: EM_TARGET_JAVA
        default: EM_TARGET_ANY
        }
    }
}
