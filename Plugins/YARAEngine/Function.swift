import BytesE

/// Functions of modules.
enum Function: UInt8, CaseIterable {
    case peSignaturesValidOn, peExports, peExportsIndex, peImports, peImphash, peIsDll, peIs32bit, peIs64bit
    case peCalculateChecksum, peSectionIndex, peRvaToOffset, peLocale, peLanguage, peRichSignatureVersion
    case peRichSignatureToolid, hashMd5, hashSha1, hashSha256, hashChecksum32, hashCrc32
    case mathInRange, mathDeviation, mathMean, mathSerialCorrelation, mathMonteCarloPi, mathEntropy, mathMin
    case mathMax, mathToNumber, mathAbs, mathCount, mathPercentage, mathMode, mathToString, stringToInt
    case stringLength, timeNow, consoleLog, consoleHex

    /// The function of a path, or nil when there is none.
    init?(_ path: ByteView) {
        for candidate in Self.allCases where path.equals(ByteView(candidate.path)) {
            self = candidate
            return
        }
        return nil
    }

    private var path: StaticString {
        switch self {
        case .peSignaturesValidOn: return "pe.signatures.valid_on"
        case .peExports: return "pe.exports"
        case .peExportsIndex: return "pe.exports_index"
        case .peImports: return "pe.imports"
        case .peImphash: return "pe.imphash"
        case .peIsDll: return "pe.is_dll"
        case .peIs32bit: return "pe.is_32bit"
        case .peIs64bit: return "pe.is_64bit"
        case .peCalculateChecksum: return "pe.calculate_checksum"
        case .peSectionIndex: return "pe.section_index"
        case .peRvaToOffset: return "pe.rva_to_offset"
        case .peLocale: return "pe.locale"
        case .peLanguage: return "pe.language"
        case .peRichSignatureVersion: return "pe.rich_signature.version"
        case .peRichSignatureToolid: return "pe.rich_signature.toolid"
        case .hashMd5: return "hash.md5"
        case .hashSha1: return "hash.sha1"
        case .hashSha256: return "hash.sha256"
        case .hashChecksum32: return "hash.checksum32"
        case .hashCrc32: return "hash.crc32"
        case .mathInRange: return "math.in_range"
        case .mathDeviation: return "math.deviation"
        case .mathMean: return "math.mean"
        case .mathSerialCorrelation: return "math.serial_correlation"
        case .mathMonteCarloPi: return "math.monte_carlo_pi"
        case .mathEntropy: return "math.entropy"
        case .mathMin: return "math.min"
        case .mathMax: return "math.max"
        case .mathToNumber: return "math.to_number"
        case .mathAbs: return "math.abs"
        case .mathCount: return "math.count"
        case .mathPercentage: return "math.percentage"
        case .mathMode: return "math.mode"
        case .mathToString: return "math.to_string"
        case .stringToInt: return "string.to_int"
        case .stringLength: return "string.length"
        case .timeNow: return "time.now"
        case .consoleLog: return "console.log"
        case .consoleHex: return "console.hex"
        }
    }
}
