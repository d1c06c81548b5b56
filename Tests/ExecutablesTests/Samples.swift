import BytesE

/// Builds small programs field by field.
struct Image {
    var bytes: [UInt8]
    var isBigEndian = false

    init(_ count: Int) { bytes = [UInt8](repeating: 0, count: count) }

    mutating func put(_ value: UInt64, _ at: Int, _ size: Int = 4) {
        for i in 0..<size {
            bytes[at + (isBigEndian ? size - 1 - i : i)] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(i)))
        }
    }

    mutating func put(_ text: String, _ at: Int) {
        for (i, byte) in text.utf8.enumerated() { bytes[at + i] = byte }
    }

    /// UTF-16, as version information has it.
    mutating func putWide(_ text: String, _ at: Int) {
        for (i, byte) in text.utf8.enumerated() { bytes[at + 2 * i] = byte }
    }

    func read<Result>(_ body: (ByteView) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBufferPointer { try body(ByteView($0)) }
    }
}

func text(_ view: ByteView?) -> String? { view.map { String(decoding: $0.array, as: UTF8.self) } }

extension Image {
    /// Two sections: code at 0x400 (address 0x1000), tables at 0x600 (address 0x2000, 0x800 bytes), then certificates
    /// at 0xe00. The entry point is 0x10 bytes into the code.
    static func pe(wide: Bool) -> Image {
        var image = Image(0xe18)
        image.put("MZ", 0)
        image.put(0x80, 0x3c)
        image.putRichHeader(key: 0x1234_5678)
        image.put(0x4550, 0x80)
        let optional = 0x98
        image.put(wide ? 0x8664 : 0x14c, 0x84, 2)
        image.put(2, 0x86, 2)
        image.put(0x6543_2100, 0x88)
        image.put(wide ? 0xf0 : 0xe0, 0x94, 2)
        image.put(0x2102, 0x96, 2)
        image.put(wide ? 0x20b : 0x10b, optional, 2)
        image.put(0x1010, optional + 16)
        if wide { image.put(0x1_4000_0000, optional + 24, 8) } else { image.put(0x40_0000, optional + 28) }
        for (value, at) in [(0x1000, 32), (0x200, 36), (0x3000, 56), (0x400, 60), (0xabcd, 64)] {
            image.put(UInt64(value), optional + at)
        }
        image.put(3, optional + 68, 2)
        image.put(16, optional + (wide ? 108 : 92))
        let directories = optional + (wide ? 112 : 96)
        for (number, address, size) in [
            (0, 0x2200, 0x100), (1, 0x2000, 60), (2, 0x2400, 0x300), (4, 0xe00, 0x18), (6, 0x2700, 28),
        ] {
            image.put(UInt64(address), directories + 8 * number)
            image.put(UInt64(size), directories + 8 * number + 4)
        }
        let table = optional + (wide ? 0xf0 : 0xe0)
        for (number, (name, address, offset, size)) in [
            (".text", 0x1000, 0x400, 0x200), (".rdata", 0x2000, 0x600, 0x800),
        ].enumerated() {
            image.put(name, table + 40 * number)
            image.put(UInt64(size - 8), table + 40 * number + 8)
            image.put(UInt64(address), table + 40 * number + 12)
            image.put(UInt64(size), table + 40 * number + 16)
            image.put(UInt64(offset), table + 40 * number + 20)
            image.put(0x4000_0040, table + 40 * number + 36)
        }
        image.put("entry", 0x410)
        image.putImports(wide: wide)
        image.putExports()
        image.putResources()
        image.putDebug()
        image.put(0x14, 0xe00)
        image.put(0x0002_0200, 0xe04)
        image.put("certificate!", 0xe08)
        return image
    }

    private mutating func putRichHeader(key: UInt64) {
        for (index, value) in [0x536e_6144, 0, 0, 0, 0x0093_7809, 7].enumerated() {
            put(UInt64(value) ^ key, 0x40 + 4 * index)
        }
        put("Rich", 0x58)
        put(key, 0x5c)
    }

    /// KERNEL32.dll by name and by number, WS2_32.dll by numbers, one of which has no name.
    private mutating func putImports(wide: Bool) {
        let size = wide ? 8 : 4
        let flag: UInt64 = wide ? 1 << 63 : 1 << 31
        for (at, value) in [(0x600, 0x2040), (0x60c, 0x20a0), (0x610, 0x2040)] { put(UInt64(value), at) }
        for (at, value) in [(0x61c - 8, 0x2070), (0x620, 0x20b0), (0x624, 0x2070)] { put(UInt64(value), at) }
        put(0x20c0, 0x640, size)
        put(flag | 77, 0x640 + size, size)
        put(flag | 3, 0x670, size)
        put(flag | 2000, 0x670 + size, size)
        put("KERNEL32.dll", 0x6a0)
        put("WS2_32.DLL", 0x6b0)
        put("GetTickCount", 0x6c2)
    }

    /// Numbers from 5: "alpha", nothing, a forwarder "beta", one without a name.
    private mutating func putExports() {
        put(0x2280, 0x80c)
        for (at, value) in [(0x10, 5), (0x14, 4), (0x18, 2), (0x1c, 0x2230), (0x20, 0x2240), (0x24, 0x2250)] {
            put(UInt64(value), 0x800 + at)
        }
        for (number, address) in [0x1000, 0, 0x22a0, 0x1020].enumerated() { put(UInt64(address), 0x830 + 4 * number) }
        for (number, (name, function)) in [(0x2290, 0), (0x2298, 2)].enumerated() {
            put(UInt64(name), 0x840 + 4 * number)
            put(UInt64(function), 0x850 + 2 * number, 2)
        }
        put("sample.dll", 0x880)
        put("alpha", 0x890)
        put("beta", 0x898)
        put("OTHER.gamma", 0x8a0)
    }

    /// Version information in English, and data of a named type.
    private mutating func putResources() {
        // Type "ZZ" and type 16.
        put(1, 0xa0c, 2)
        put(1, 0xa0e, 2)
        put(0x8000_00a0, 0xa10)
        put(0x8000_0080, 0xa14)
        put(16, 0xa18)
        put(0x8000_0020, 0xa1c)
        for (directory, name, child) in [
            (0xa20, 1, 0x8000_0038), (0xa38, 0x409, 0x60), (0xa80, 2, 0x8000_00b0), (0xab0, 0, 0x70),
        ] {
            put(1, directory + 14, 2)
            put(UInt64(name), directory + 16)
            put(UInt64(child), directory + 20)
        }
        put(0x2500, 0xa60)
        put(0x100, 0xa64)
        put(0x26f0, 0xa70)
        put(4, 0xa74)
        put(2, 0xaa0, 2)
        putWide("ZZ", 0xaa2)
        put("data", 0xcf0)
        // VS_VERSIONINFO, StringFileInfo, one table, two strings of which one is empty.
        put(0xe8, 0xb00, 2)
        put(0x34, 0xb02, 2)
        putWide("VS_VERSION_INFO", 0xb06)
        put(0xfeef_04bd, 0xb28)
        let strings = 0xb00 + 6 + 0x20 + 2 + 0x34
        put(0x8c, strings, 2)
        putWide("StringFileInfo", strings + 6)
        let table = strings + 6 + 0x1e
        put(0x68, table, 2)
        putWide("040904b0", table + 6)
        put(0x2c, table + 24, 2)
        putWide("CompanyName", table + 30)
        putWide("Works", table + 56)
        put(0x20, table + 24 + 0x2c, 2)
        putWide("FileVersion", table + 30 + 0x2c)
    }

    private mutating func putDebug() {
        put(2, 0xd0c)
        put(0x20, 0xd10)
        put(0x2720, 0xd14)
        put("RSDS", 0xd20)
        put("c:\\sample.pdb", 0xd38)
    }
}
