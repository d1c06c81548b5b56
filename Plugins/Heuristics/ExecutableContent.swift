package import BytesE

/// What a computer would run, recognised by more than its first two bytes: a letter may begin with "MZ".
package enum ExecutableContent {
    case none
    /// Portable Executable of Windows.
    case windowsProgram
    case elf
    case machO
    /// Windows shortcut (MS-SHLLINK 2.1).
    case shortcut
    /// Begins with "#!".
    case shellScript
    /// A page with an HTA:APPLICATION element.
    case htmlApplication

    package init(_ data: ByteView) {
        if ExecutableContent.isPE(data) {
            self = .windowsProgram
        } else if ExecutableContent.isELF(data) {
            self = .elf
        } else if ExecutableContent.isMachO(data) {
            self = .machO
        } else if data.hasPrefix(ByteView("\u{4c}\0\0\0\u{01}\u{14}\u{02}\0\0\0\0\0")), data.count >= 76 {
            self = .shortcut
        } else if ExecutableContent.isShellScript(data) {
            self = .shellScript
        } else if ExecutableContent.isHTMLApplication(data) {
            self = .htmlApplication
        } else {
            self = .none
        }
    }

    /// Runs on a double click under Windows without a further question of the reader's program.
    package var runsOnWindows: Bool {
        switch self {
        case .windowsProgram, .shortcut, .htmlApplication: true
        case .none, .elf, .machO, .shellScript: false
        }
    }

    private static func isPE(_ data: ByteView) -> Bool {
        guard data.hasPrefix(ByteView("MZ")), let offset = data.load(UInt32.self, at: 0x3c) else { return false }
        let start = Int(offset)
        guard start >= 4, data.slice(start, start + 4).equals(ByteView("PE\0\0")),
            let machine = data.load(UInt16.self, at: start + 4), let sections = data.load(UInt16.self, at: start + 6)
        else { return false }
        return machine != 0 && sections > 0 && sections <= 96
    }

    private static func isELF(_ data: ByteView) -> Bool {
        guard data.hasPrefix(ByteView("\u{7f}ELF")), data.count >= 52 else { return false }
        return (data[4] == 1 || data[4] == 2) && (data[5] == 1 || data[5] == 2) && data[6] == 1
    }

    private static func isMachO(_ data: ByteView) -> Bool {
        guard let magic = data.load(UInt32.self, at: 0), let type = data.load(UInt32.self, at: 12) else { return false }
        // Object files to bundles; 0xcafebabe is left out because Java classes begin with it, too.
        return (magic == 0xfeed_face || magic == 0xfeed_facf) && type >= 1 && type <= 12
    }

    private static func isShellScript(_ data: ByteView) -> Bool {
        guard data.hasPrefix(ByteView("#!")) else { return false }
        let line = data.prefix(min(256, data.firstIndex(of: 0x0a) ?? data.count))
        return line.firstIndex(of: 0x2f) != nil
    }

    private static func isHTMLApplication(_ data: ByteView) -> Bool {
        data.prefix(16_384).firstIndex(ofIgnoringCase: ByteView("<hta:application")) != nil
    }
}
