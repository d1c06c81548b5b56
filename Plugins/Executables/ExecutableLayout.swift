package import BytesE
import CModuleABI

/// Where the entry point and the sections of a program lie in its file: what offsets of signatures (EP, S, SE, SL, VI)
/// and target conditions (EntryPoint, NumberOfSections) mean.
///
/// The meaning is ClamAV's, in whose formats signatures are written: for PE see `PELayout`, for ELF and Mach-O the
/// `init?` of each. Cheap: some hundred bytes of the file are read; resources only when `versionStrings` is called.
package struct ExecutableLayout: Sendable {
    /// Place of the first instruction; nil when the headers are broken. 0 when the program has none.
    package private(set) var entry: Int?
    /// Places of the sections, in the order of the header, as declared: they may reach behind the file's end (not in
    /// PE). Empty ones count.
    package private(set) var sections: [Range<Int>] = []
    /// The object claims to be a program but its headers are broken: then no offset from the object's end, from the
    /// entry point or from sections means anything.
    package private(set) var isBroken = false
    private let object: ByteView
    private let target: UInt32

    /// - Parameters:
    ///   - object: the file; its views must outlive the layout.
    ///   - target: EM_TARGET_PE, _ELF or _MACHO: what the object was identified as. Others have no layout.
    package init(_ object: ByteView, target: UInt32) {
        self.object = object
        self.target = target
        switch target {
        case EM_TARGET_PE:
            if let layout = PEFile(object).flatMap({ PELayout($0) }) {
                entry = layout.entryPoint
                sections = layout.sections.map { $0.extent }
            } else {
                isBroken = true
            }
        case EM_TARGET_ELF:
            if let layout = ELFFile(object)?.layout { use(layout) } else { isBroken = true }
        case EM_TARGET_MACHO:
            if let layout = MachOFile(object)?.layout { use(layout) } else { isBroken = true }
        default: break
        }
    }

    private mutating func use(_ layout: (entry: Int, sections: [Range<Int>])) {
        entry = layout.entry
        sections = layout.sections
    }

    /// Places where a string of the version information of a PE file begins (its key, UTF-16), ascending: what the
    /// offset VI means. Reads resources each time it is called.
    package func versionStrings() -> [Int] {
        guard target == EM_TARGET_PE, let file = PEFile(object), let layout = PELayout(file) else { return [] }
        return file.versionStrings(layout)
    }
}
