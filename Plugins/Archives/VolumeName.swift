import BytesE

/// What a file's name says about an archive that was cut into volumes: which of them it is.
struct VolumeName {
    enum Kind: UInt8 {
        /// "a.7z.001", "a.zip.002": any bytes, cut.
        case pieces
        /// "a.z01", "a.z02", and "a.zip" as the last.
        case zip
        /// "a.part1.rar", "a.part2.rar"; "a.rar", "a.r00", "a.r01".
        case rar
        /// "a.arj", "a.a01", "a.a02".
        case arj
        /// "a.cab": the cabinets themselves say which belong together.
        case cabinet
    }
    let kind: Kind
    /// The name without what tells the volume, in lower case.
    let base: [UInt8]
    /// Its place among the others.
    let number: Int
    /// Nothing else is called so; other files may be called like the rest ("a.zip", "a.rar").
    let isCertain: Bool

    /// nil when the name says nothing of that.
    init?(_ name: [UInt8]) {
        guard name.count <= 1024, let dot = name.lastIndex(of: 0x2e) else { return nil }
        let lower = name.map { asciiLowercased($0) }
        let ending = lower[(dot + 1)...]
        let base = Array(lower[..<dot])
        func digits(_ text: ArraySlice<UInt8>, _ count: ClosedRange<Int>) -> Int? {
            guard count.contains(text.count), text.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
            return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        if let number = digits(ending, 3...3) {
            (kind, self.base, self.number, isCertain) = (.pieces, base, number, true)
        } else if ending.first == 0x7a, let number = digits(ending.dropFirst(), 2...3) {
            (kind, self.base, self.number, isCertain) = (.zip, base, number, true)
        } else if ending.elementsEqual([0x7a, 0x69, 0x70]) {
            (kind, self.base, self.number, isCertain) = (.zip, base, .max, false)
        } else if let first = ending.first, (0x72...0x79).contains(first),
            let number = digits(ending.dropFirst(), 2...2)
        {
            // Behind r99 stands s00.
            (kind, self.base, self.number, isCertain) = (.rar, base, 100 * Int(first - 0x72) + number + 1, true)
        } else if let first = ending.first, (0x61...0x71).contains(first),
            let number = digits(ending.dropFirst(), 2...2)
        {
            (kind, self.base, self.number, isCertain) = (.arj, base, 100 * Int(first - 0x61) + number, true)
        } else if ending.elementsEqual([0x61, 0x72, 0x6a]) {
            (kind, self.base, self.number, isCertain) = (.arj, base, 0, true)
        } else if ending.elementsEqual([0x63, 0x61, 0x62]) {
            (kind, self.base, self.number, isCertain) = (.cabinet, [], 0, true)
        } else if ending.elementsEqual([0x72, 0x61, 0x72]) || ending.elementsEqual([0x65, 0x78, 0x65]) {
            let start = base.lastIndex(of: 0x2e) ?? base.count
            let part = base[start...].dropFirst()
            if part.starts(with: [0x70, 0x61, 0x72, 0x74]), let number = digits(part.dropFirst(4), 1...5) {
                (kind, self.base, self.number) = (.rar, Array(base[..<start]), number)
                isCertain = ending.first == 0x72
            } else {
                guard ending.first == 0x72 else { return nil }
                (kind, self.base, self.number, isCertain) = (.rar, base, 0, false)
            }
        } else {
            return nil
        }
    }

    func belongs(to other: VolumeName) -> Bool { kind == other.kind && base == other.base }

    /// What the archive is called that they are volumes of.
    var archiveName: [UInt8] {
        switch kind {
        case .pieces: base
        case .zip: base + [0x2e, 0x7a, 0x69, 0x70]
        case .rar: base + [0x2e, 0x72, 0x61, 0x72]
        case .arj: base + [0x2e, 0x61, 0x72, 0x6a]
        case .cabinet: base
        }
    }
}
