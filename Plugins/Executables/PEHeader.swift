package import BytesE

/// The headers of a Portable Executable (PE/COFF specification, chapters 3.1 to 3.4). What lies outside the file is 0.
package struct PEHeader: Sendable {
    /// Where "PE\0\0" lies in the file.
    package let offset: Int

    // File header.
    package let machine: UInt16
    /// As declared; see `PEFile.sections` for those that are there.
    package let sectionCount: UInt16
    /// Seconds since 1970, as declared.
    package let timestamp: UInt32
    package let symbolTable: UInt32
    package let symbolCount: UInt32
    package let optionalHeaderSize: UInt16
    package let characteristics: UInt16

    // Optional header.
    /// 0x10b PE32, 0x20b PE32+.
    package let magic: UInt16
    package let linkerVersion: (major: UInt8, minor: UInt8)
    package let sizeOfCode: UInt32
    package let sizeOfInitializedData: UInt32
    package let sizeOfUninitializedData: UInt32
    /// Address of the first instruction, from the image's base.
    package let entryPoint: UInt32
    package let baseOfCode: UInt32
    /// 0 in PE32+, which has none.
    package let baseOfData: UInt32
    package let imageBase: UInt64
    package let sectionAlignment: UInt32
    package let fileAlignment: UInt32
    package let systemVersion: (major: UInt16, minor: UInt16)
    package let imageVersion: (major: UInt16, minor: UInt16)
    package let subsystemVersion: (major: UInt16, minor: UInt16)
    package let win32VersionValue: UInt32
    package let sizeOfImage: UInt32
    package let sizeOfHeaders: UInt32
    package let checksum: UInt32
    package let subsystem: UInt16
    package let dllCharacteristics: UInt16
    package let sizeOfStackReserve: UInt64
    package let sizeOfStackCommit: UInt64
    package let sizeOfHeapReserve: UInt64
    package let sizeOfHeapCommit: UInt64
    package let loaderFlags: UInt32
    /// As declared; 16 are defined.
    package let directoryCount: UInt32

    /// PE32+: 64-bit addresses.
    package var isPlus: Bool { magic == 0x20b }
    package var isDLL: Bool { characteristics & 0x2000 != 0 }
    /// Bytes of "PE\0\0" and the file header.
    package static let fileHeaderSize = 24
    /// Where the optional header lies in the file.
    package var optionalHeader: Int { offset + PEHeader.fileHeaderSize }
    /// Bytes of the optional header before its data directories.
    package var fixedOptionalSize: Int { isPlus ? 112 : 96 }
    /// Where the section table lies in the file.
    package var sectionTable: Int { optionalHeader + Int(optionalHeaderSize) }

    /// Where the PE header of a file lies, or nil when it has none.
    static func find(in bytes: ByteView) -> Int? {
        guard let magic = bytes.loadBigEndian(UInt16.self, at: 0), magic == 0x4d5a || magic == 0x5a4d,
            let offset = bytes.load(UInt32.self, at: 0x3c), offset != 0,
            bytes.load(UInt32.self, at: Int(offset)) == 0x4550,
            Int(offset) <= bytes.count - fileHeaderSize
        else { return nil }
        return Int(offset)
    }

    /// nil when the file has no PE header.
    package init?(_ bytes: ByteView) {
        guard let offset = PEHeader.find(in: bytes) else { return nil }
        self.offset = offset
        let fields = Fields(bytes: bytes, start: offset + 4)
        machine = fields.half(0)
        sectionCount = fields.half(2)
        timestamp = fields.long(4)
        symbolTable = fields.long(8)
        symbolCount = fields.long(12)
        optionalHeaderSize = fields.half(16)
        characteristics = fields.half(18)
        let optional = Fields(bytes: bytes, start: offset + PEHeader.fileHeaderSize)
        let magic = optional.half(0)
        let plus = magic == 0x20b
        self.magic = magic
        linkerVersion = (optional.byte(2), optional.byte(3))
        sizeOfCode = optional.long(4)
        sizeOfInitializedData = optional.long(8)
        sizeOfUninitializedData = optional.long(12)
        entryPoint = optional.long(16)
        baseOfCode = optional.long(20)
        baseOfData = plus ? 0 : optional.long(24)
        imageBase = plus ? optional.quad(24) : UInt64(optional.long(28))
        sectionAlignment = optional.long(32)
        fileAlignment = optional.long(36)
        systemVersion = (optional.half(40), optional.half(42))
        imageVersion = (optional.half(44), optional.half(46))
        subsystemVersion = (optional.half(48), optional.half(50))
        win32VersionValue = optional.long(52)
        sizeOfImage = optional.long(56)
        sizeOfHeaders = optional.long(60)
        checksum = optional.long(64)
        subsystem = optional.half(68)
        dllCharacteristics = optional.half(70)
        sizeOfStackReserve = plus ? optional.quad(72) : UInt64(optional.long(72))
        sizeOfStackCommit = plus ? optional.quad(80) : UInt64(optional.long(76))
        sizeOfHeapReserve = plus ? optional.quad(88) : UInt64(optional.long(80))
        sizeOfHeapCommit = plus ? optional.quad(96) : UInt64(optional.long(84))
        loaderFlags = optional.long(plus ? 104 : 88)
        directoryCount = optional.long(plus ? 108 : 92)
    }
}

/// Little-endian fields of a structure; 0 for what lies outside.
struct Fields {
    let bytes: ByteView
    let start: Int

    func byte(_ at: Int) -> UInt8 { bytes.load(UInt8.self, at: start + at) ?? 0 }
    func half(_ at: Int) -> UInt16 { bytes.load(UInt16.self, at: start + at) ?? 0 }
    func long(_ at: Int) -> UInt32 { bytes.load(UInt32.self, at: start + at) ?? 0 }
    func quad(_ at: Int) -> UInt64 { bytes.load(UInt64.self, at: start + at) ?? 0 }
}
