package import BytesE

extension PEFile {
    /// How the text of the imports ended.
    package enum ImportText: Sendable {
        /// It was told, so many bytes.
        case complete(Int)
        /// The file has no import table.
        case none
        /// The table is damaged, or reading it takes more work than a file may cause: there is no hash.
        case damaged
    }

    /// Tells the text whose digest is the file's import hash: "library.function" for each import, in small letters,
    /// between commas; the library without .dll, .ocx or .sys; functions without a name as "ord" and their number, or
    /// by the name that their number stands for.
    ///
    /// The meaning of odd tables is ClamAV's, whose signatures (.imp) have such digests.
    ///
    /// - Parameters:
    ///   - addresses: how the file is read: those of its `PELayout` for ClamAV's hashes.
    ///   - anyNames: whether names may have other characters than letters, digits, points and underscores; otherwise
    ///     these are damage, as ClamAV sees it, so that libraries with decorated names have no hash.
    ///   - append: gets the text piece by piece.
    package func importText(
        _ addresses: PEAddresses, anyNames: Bool = false, _ append: (ByteView) -> Void
    ) -> ImportText {
        guard let table = directory(.imports), table.address != 0, table.size != 0,
            let start = addresses.offset(of: table.address), Int(table.size) <= bytes.count - start
        else { return .none }
        var writer = ImportWriter(file: self, addresses: addresses, anyNames: anyNames)
        var at = start
        // An entry that ends with the table is not looked at: it would be the one of zeros.
        for _ in 0..<PEFile.libraryLimit where start + Int(table.size) - at > 20 {
            let entry = Fields(bytes: bytes, start: at)
            guard entry.long(12) != 0 else { break }
            guard writer.library(entry.long(12), names: entry.long(0), places: entry.long(16), append) else {
                return .damaged
            }
            at += 20
        }
        return .complete(writer.count)
    }
}

private struct ImportWriter {
    let file: PEFile
    let addresses: PEAddresses
    let anyNames: Bool
    /// Bytes told.
    var count = 0
    private var isFirst = true
    private var work = PEFile.importWork

    init(file: PEFile, addresses: PEAddresses, anyNames: Bool) {
        self.file = file
        self.addresses = addresses
        self.anyNames = anyNames
    }

    private mutating func offset(of address: UInt32) -> Int? {
        work -= addresses.cost
        return addresses.offset(of: address)
    }

    /// Tells the functions of a library; false when the table is damaged.
    mutating func library(_ name: UInt32, names: UInt32, places: UInt32, _ append: (ByteView) -> Void) -> Bool {
        guard let place = offset(of: name) else { return false }
        let library = text(at: place)
        let ordinals = PEOrdinals(library: library)
        let stem = self.stem(of: library)
        var table: Int?
        if names != 0 { table = offset(of: names) }
        // A table at the file's first byte is none.
        if table == nil || table == 0 { table = offset(of: places) }
        guard var at = table else { return false }
        let wide = file.header.isPlus
        while let entry = wide
            ? file.bytes.load(UInt64.self, at: at) : file.bytes.load(UInt32.self, at: at).map({ UInt64($0) }),
            entry != 0
        {
            at += wide ? 8 : 4
            guard work > 0 else { return false }
            if entry >> (wide ? 63 : 31) != 0 {
                let ordinal = Int(entry & 0xffff)
                let known = ordinals?.name(ordinal) ?? ByteView()
                if known.isEmpty {
                    ordinalName(ordinal).withUnsafeBufferPointer { write(stem, ByteView($0), append) }
                } else {
                    write(stem, known, append)
                }
            } else {
                let hint = offset(of: UInt32(truncatingIfNeeded: entry))
                if hint == nil, wide || anyNames { continue }
                // A name outside is read from the file's beginning, and found to be none.
                let place = hint ?? 0
                guard place + 2 <= file.bytes.count - min(PEFile.nameLimit, file.bytes.count - place) else { continue }
                let name = text(at: place + 2)
                guard anyNames || isName(name) else { return false }
                write(stem, name, append)
            }
        }
        return true
    }

    private mutating func write(_ stem: ByteView, _ function: ByteView, _ append: (ByteView) -> Void) {
        if !isFirst { put(ByteView(","), append) }
        isFirst = false
        putLowercased(stem, append)
        put(ByteView("."), append)
        putLowercased(function, append)
    }

    private mutating func put(_ bytes: ByteView, _ append: (ByteView) -> Void) {
        append(bytes)
        count += bytes.count
        work -= bytes.count
    }

    private mutating func putLowercased(_ bytes: ByteView, _ append: (ByteView) -> Void) {
        var small = [UInt8](repeating: 0, count: bytes.count)
        for i in 0..<bytes.count { small[i] = asciiLowercased(bytes[i]) }
        small.withUnsafeBufferPointer { put(ByteView($0), append) }
    }

    /// A text of at most `nameLimit` bytes that ends with a zero byte or there.
    private func text(at offset: Int) -> ByteView {
        let part = file.bytes.slice(offset, offset + PEFile.nameLimit)
        return part.prefix(part.firstIndex(of: 0) ?? part.count)
    }

    /// A library's name without the ending that libraries have, which begins at the first dot.
    private func stem(of library: ByteView) -> ByteView {
        guard let dot = library.firstIndex(of: 0x2e) else { return library }
        let ending = library.dropFirst(dot)
        let isUsual =
            ending.hasPrefixIgnoringCase(ByteView(".dll")) || ending.hasPrefixIgnoringCase(ByteView(".ocx"))
            || ending.hasPrefixIgnoringCase(ByteView(".sys"))
        return isUsual ? library.prefix(dot) : library
    }

    private func isName(_ name: ByteView) -> Bool {
        for byte in name.buffer {
            let letter = (byte | 0x20) &- 0x61 < 26
            guard letter || byte &- 0x30 < 10 || byte == 0x5f || byte == 0x2e else { return false }
        }
        return true
    }

    /// "ord" and a number.
    private func ordinalName(_ number: Int) -> [UInt8] {
        var name: [UInt8] = [0x6f, 0x72, 0x64]
        var divisor = 10_000
        while divisor > 1, number / divisor == 0 { divisor /= 10 }
        while divisor > 0 {
            name.append(0x30 + UInt8(number / divisor % 10))
            divisor /= 10
        }
        return name
    }
}
