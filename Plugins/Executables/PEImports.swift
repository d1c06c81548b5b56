package import BytesE

/// A function that a PE file imports.
package struct PEImport: Sendable {
    /// The library's file name, as written.
    package let library: ByteView
    package let function: PEImportName
    /// Loaded at the first call, not with the program.
    package let isDelayed: Bool
}

/// How an imported function is named.
package enum PEImportName: Sendable {
    case name(ByteView)
    case ordinal(UInt16)
}

extension PEFile {
    /// Limits of the walk over imports: tables of libraries, functions of all of them, bytes of a name, and steps of
    /// looking for addresses, which a file with many sections makes slow.
    static let libraryLimit = 1024
    static let functionLimit = 65_536
    static let nameLimit = 256
    static let importWork = 4_000_000

    /// Visits the imports in the order of the tables; delayed ones (the new form, with addresses from the image's
    /// base, and the old) come last. Functions whose names lie outside the file are left out.
    ///
    /// - Parameter visit: returns whether to go on.
    package func forEachImport(_ addresses: PEAddresses, _ visit: (PEImport) -> Bool) {
        var walk = ImportWalk(file: self, addresses: addresses)
        if let table = directory(.imports), table.address != 0, let start = addresses.offset(of: table.address) {
            for number in 0..<PEFile.libraryLimit {
                let entry = Fields(bytes: bytes, start: start + 20 * number)
                guard entry.start <= bytes.count - 20, entry.long(12) != 0 else { break }
                let names = entry.long(0)
                let places = entry.long(16)
                guard
                    walk.library(
                        entry.long(12), names: [names, places], base: 0, isDelayed: false, visit)
                else { return }
            }
        }
        guard let table = directory(.delayedImports), table.address != 0,
            let start = addresses.offset(of: table.address)
        else { return }
        for number in 0..<PEFile.libraryLimit {
            let entry = Fields(bytes: bytes, start: start + 32 * number)
            guard entry.start <= bytes.count - 32, entry.long(4) != 0 else { return }
            // Without the flag, addresses count from zero instead of the image's base.
            let base = entry.long(0) & 1 != 0 ? 0 : UInt32(truncatingIfNeeded: header.imageBase)
            guard
                walk.library(
                    entry.long(4) &- base, names: [entry.long(16) &- base], base: base, isDelayed: true, visit)
            else { return }
        }
    }
}

/// Walks over the imports of one library after another within limits.
private struct ImportWalk {
    let file: PEFile
    let addresses: PEAddresses
    var functions = 0
    var work = PEFile.importWork

    init(file: PEFile, addresses: PEAddresses) {
        self.file = file
        self.addresses = addresses
    }

    private mutating func offset(of address: UInt32) -> Int? {
        work -= addresses.cost
        return work > 0 ? addresses.offset(of: address) : nil
    }

    /// Visits the functions of a library; false ends the walk.
    mutating func library(
        _ name: UInt32, names tables: [UInt32], base: UInt32, isDelayed: Bool, _ visit: (PEImport) -> Bool
    ) -> Bool {
        guard work > 0 else { return false }
        guard let place = offset(of: name), let library = file.text(at: place, limit: PEFile.nameLimit) else {
            return true
        }
        // Bound images may have no table of names: the other one is as good as long as the file is not loaded.
        var start: Int?
        for table in tables where start == nil && table != 0 { start = offset(of: table) }
        guard var at = start else { return true }
        let wide = file.header.isPlus
        while functions < PEFile.functionLimit, work > 0 {
            guard
                let entry = wide
                    ? file.bytes.load(UInt64.self, at: at) : file.bytes.load(UInt32.self, at: at).map({ UInt64($0) }),
                entry != 0
            else { return true }
            at += wide ? 8 : 4
            functions += 1
            if entry >> (wide ? 63 : 31) != 0 {
                let function = PEImportName.ordinal(UInt16(truncatingIfNeeded: entry))
                guard visit(PEImport(library: library, function: function, isDelayed: isDelayed)) else { return false }
            } else if let hint = offset(of: UInt32(truncatingIfNeeded: entry) &- base),
                let name = file.text(at: hint + 2, limit: PEFile.nameLimit)
            {
                guard visit(PEImport(library: library, function: .name(name), isDelayed: isDelayed)) else {
                    return false
                }
            }
        }
        return false
    }
}
