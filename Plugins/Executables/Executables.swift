package import BytesE

// What is known about programs by reading them: Portable Executables of Windows, ELF, Mach-O.
//
//   ExecutableFormat(bytes)       which of them a file is, by its headers
//   ExecutableLayout(bytes, …)    entry point and sections as places in the file: what signatures with offsets bound
//                                 to executables (EP, S, SE, SL, VI) and target conditions (EntryPoint,
//                                 NumberOfSections) are measured by; the same for all formats
//   PEFile(bytes)                 headers and section table; everything else is read when it is asked for:
//       .addresses                addresses as the Windows loader maps them; PELayout: as ClamAV maps them
//       .forEachImport(…)         imports and delayed imports, by name and ordinal; .importText(…): for import hashes
//       .exports(…)  .resources(…)  .versionInfo(…)  .icons(…)  .richHeader  .debugEntries(…)
//       .certificates(…)  .authenticodeExtents  .overlay
//   ELFFile(bytes)                header, segments, sections, dynamic entries and symbols
//   MachOFile(bytes)              load commands, segments, sections, libraries; UniversalFile(bytes): its slices
//
// Everything here is pure and reads hostile files: no access outside the bytes, no trap, no recursion without a
// limit, and an amount of work that grows with the file at most. A structure that lies outside the file is absent.
// Views that are handed out (names, sections) borrow from the file's bytes.

/// What kind of program a file is.
package enum ExecutableFormat: Sendable {
    /// Portable Executable of Windows (PE32, PE32+).
    case portableExecutable
    /// MZ without a PE header: a program for DOS, or a new executable of older Windows and OS/2.
    case dos
    case elf
    /// Mach-O for one architecture.
    case machO
    /// Mach-O for several architectures: a table of Mach-O files.
    case universal

    /// nil when it is none of them. The first bytes decide, and the place that they point to.
    package init?(_ bytes: ByteView) {
        guard let head = bytes.loadBigEndian(UInt32.self, at: 0) else { return nil }
        switch head {
        case 0x7f45_4c46: self = .elf
        case 0xfeed_face, 0xfeed_facf, 0xcefa_edfe, 0xcffa_edfe: self = .machO
        case 0xcafe_babe, 0xcafe_babf:
            // Java classes begin with the first one, too: there a version follows, of 45 at least, here a small count.
            guard let count = bytes.loadBigEndian(UInt32.self, at: 4), count < 39 else { return nil }
            self = .universal
        default:
            guard head >> 16 == 0x4d5a || head >> 16 == 0x5a4d else { return nil }
            self = PEHeader.find(in: bytes) != nil ? .portableExecutable : .dos
        }
    }
}
