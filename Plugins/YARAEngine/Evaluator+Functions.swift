import BytesE
import CCrypto
import Executables

extension Evaluator {
    /// A function of a module; no argument is undefined.
    func moduleFunction(_ function: Function, _ arguments: [Value]) -> Value {
        if function.rawValue <= Function.peRichSignatureToolid.rawValue { return peFunction(function, arguments) }
        switch function {
        case .hashMd5: return range(arguments).map { digest(CCRYPTO_MD5, $0) } ?? .undefined
        case .hashSha1: return range(arguments).map { digest(CCRYPTO_SHA1, $0) } ?? .undefined
        case .hashSha256: return range(arguments).map { digest(CCRYPTO_SHA256, $0) } ?? .undefined
        case .hashChecksum32:
            guard let bytes = range(arguments) else { return .undefined }
            var sum: UInt32 = 0
            for byte in bytes.buffer { sum &+= UInt32(byte) }
            return .integer(Int64(sum))
        case .hashCrc32: return range(arguments).map { .integer(Int64(crc32($0))) } ?? .undefined
        case .stringToInt: return parsed(arguments)
        case .stringLength: return arguments.first?.text.map { .integer(Int64($0.count)) } ?? .undefined
        case .timeNow: return .integer(facts.now)
        case .consoleLog, .consoleHex: return .boolean(true)
        default: return mathFunction(function, arguments)
        }
    }

    /// What `(offset, size)` or `(text)` at the beginning of the arguments names, as much as the object has.
    func range(_ arguments: [Value]) -> ByteView? {
        if let text = arguments.first?.text { return spend(text.count / 8) ? text : nil }
        guard arguments.count >= 2, let offset = arguments[0].integer, let size = arguments[1].integer, offset >= 0,
            size >= 0, offset < object.count
        else { return nil }
        let part = object.slice(Int(offset), Int(offset) + min(Int(clamping: size), object.count - Int(offset)))
        return spend(part.count / 8) ? part : nil
    }

    func digest(_ algorithm: Int32, _ bytes: ByteView) -> Value {
        let size = algorithm == CCRYPTO_MD5 ? 16 : algorithm == CCRYPTO_SHA1 ? 20 : 32
        var digest = [UInt8](repeating: 0, count: 32)
        let isDone = digest.withUnsafeMutableBufferPointer {
            CCrypto_digest(algorithm, bytes.base, bytes.count, $0.baseAddress) == 1
        }
        guard isDone else { return .undefined }
        var text: [UInt8] = []
        for byte in digest.prefix(size) { appendHex(byte, &text) }
        return texts.keep(text).map { .text($0) } ?? .undefined
    }

    /// CRC-32 as in zlib (ISO 3309), by the bit: rules ask for it seldom.
    private func crc32(_ bytes: ByteView) -> UInt32 {
        guard spend(bytes.count) else { return 0 }
        var crc: UInt32 = ~0
        for byte in bytes.buffer {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 != 0 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }

    /// string.to_int: the whole text, by C's rules for prefixes when no base is given.
    private func parsed(_ arguments: [Value]) -> Value {
        guard let text = arguments.first?.text else { return .undefined }
        var base: Int64 = 0
        if arguments.count > 1 {
            guard let given = arguments[1].integer, given == 0 || (2...36).contains(given) else { return .undefined }
            base = given
        }
        var at = 0
        while at < text.count, isASCIISpace(text[at]) { at += 1 }
        var isNegative = false
        if at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") {
            isNegative = text[at] == UInt8(ascii: "-")
            at += 1
        }
        if base == 0 || base == 16, at + 2 < text.count, text[at] == 0x30, text[at + 1] | 0x20 == UInt8(ascii: "x") {
            at += 2
            base = 16
        } else if base == 0 {
            base = at < text.count && text[at] == 0x30 ? 8 : 10
        }
        guard at < text.count else { return .undefined }
        var value: Int64 = 0
        while at < text.count {
            let byte = text[at]
            let letter = (byte | 0x20) &- 0x61
            let digit = byte &- 0x30 < 10 ? Int64(byte &- 0x30) : letter < 26 ? Int64(letter) + 10 : 36
            guard digit < base else { return .undefined }
            let (product, overflow) = value.multipliedReportingOverflow(by: base)
            let (sum, carry) = product.addingReportingOverflow(isNegative ? -digit : digit)
            guard !overflow, !carry else { return .undefined }
            value = sum
            at += 1
        }
        return .integer(value)
    }

    // MARK: - PE

    private func peFunction(_ function: Function, _ arguments: [Value]) -> Value {
        guard let file = programs.pe else { return .undefined }
        switch function {
        case .peSignaturesValidOn:
            guard arguments.count == 2, let index = arguments[0].integer, let time = arguments[1].integer, index >= 0,
                index < programs.certificates.count
            else { return .undefined }
            let certificate = programs.certificates[Int(index)]
            return .boolean(time >= certificate.notBefore && time <= certificate.notAfter)
        case .peIsDll: return .integer(file.header.isDLL ? 0x2000 : 0)
        case .peIs32bit: return .boolean(file.header.magic == 0x10b)
        case .peIs64bit: return .boolean(file.header.isPlus)
        case .peExports: return .boolean(exportIndex(arguments) != nil)
        case .peExportsIndex: return exportIndex(arguments).map { .integer(Int64($0)) } ?? .undefined
        case .peImports: return .integer(Int64(importCount(arguments)))
        case .peImphash: return importHash(file)
        case .peCalculateChecksum: return checksum(file)
        case .peSectionIndex: return sectionIndex(file, arguments)
        case .peRvaToOffset:
            guard let address = arguments.first?.integer, let short = UInt32(exactly: address) else {
                return .undefined
            }
            return programs.addresses?.offset(of: short).map { .integer(Int64($0)) } ?? .undefined
        case .peLocale, .peLanguage:
            guard let wanted = arguments.first?.integer else { return .undefined }
            let mask: UInt32 = function == .peLocale ? 0xffff : 0xff
            return .boolean(
                programs.resources.contains { resource in
                    resource.language.number.map { Int64($0 & mask) == wanted } ?? false
                })
        default: return richFunction(function, arguments)
        }
    }

    private func exportIndex(_ arguments: [Value]) -> Int? {
        guard let table = programs.exports, let wanted = arguments.first else { return nil }
        for (index, entry) in table.exports.enumerated() where spend(1) {
            switch wanted {
            case .text(let name): if let own = entry.name, own.equalsIgnoringCase(name) { return index }
            case .integer(let ordinal): if Int64(entry.ordinal) == ordinal { return index }
            case .regex(let program): if let own = entry.name, finds(program, own) { return index }
            default: return nil
            }
        }
        return nil
    }

    private func finds(_ program: Program, _ text: ByteView) -> Bool {
        let result = matches.machine.finds(program, in: text)
        _ = spend(matches.machine.takeWork())
        return result
    }

    /// The imports that `([kind,] library[, function])` names.
    private func importCount(_ arguments: [Value]) -> Int {
        var rest = arguments[...]
        // Delayed 1, usual 2; without a kind the usual ones.
        var kinds: Int64 = 2
        if arguments.count > 1, let kind = arguments[0].integer {
            kinds = kind
            rest = rest.dropFirst()
        }
        guard let library = rest.first else { return 0 }
        let function = rest.dropFirst().first
        var count = 0
        for entry in programs.imports where spend(1) {
            guard kinds & (entry.isDelayed ? 1 : 2) != 0, isNamed(entry.library, library, foldsCase: true) else {
                continue
            }
            switch (function, entry.function) {
            case (nil, _): count += 1
            case (.integer(let wanted)?, .ordinal(let ordinal)): if Int64(ordinal) == wanted { count += 1 }
            case (let wanted?, .name(let name)): if isNamed(name, wanted, foldsCase: true) { count += 1 }
            default: break
            }
        }
        return count
    }

    private func isNamed(_ name: ByteView, _ wanted: Value, foldsCase: Bool) -> Bool {
        switch wanted {
        case .text(let text): return foldsCase ? name.equalsIgnoringCase(text) : name.equals(text)
        case .regex(let program): return finds(program, name)
        default: return false
        }
    }

    private func importHash(_ file: PEFile) -> Value {
        guard let addresses = programs.addresses else { return .undefined }
        var text: [UInt8] = []
        guard case .complete = file.importText(addresses, { text += $0.array }) else { return .undefined }
        guard spend(text.count / 8) else { return .undefined }
        return text.withUnsafeBufferPointer { digest(CCRYPTO_MD5, ByteView($0)) }
    }

    /// The checksum of the optional header (PE/COFF specification: IMAGHELP's algorithm).
    private func checksum(_ file: PEFile) -> Value {
        guard spend(object.count / 2) else { return .undefined }
        let skipped = file.header.optionalHeader + 64
        var sum: UInt64 = 0
        var at = 0
        while at < object.count {
            if at != skipped {
                var word: UInt64 = 0
                for index in 0..<4 where at + index < object.count {
                    word |= UInt64(object[at + index]) << UInt64(8 * index)
                }
                sum += word
                sum = (sum & 0xffff_ffff) + (sum >> 32)
            }
            at += 4
        }
        sum = (sum & 0xffff) + (sum >> 16)
        sum = (sum + (sum >> 16)) & 0xffff
        return .integer(Int64(sum) + Int64(object.count))
    }

    private func sectionIndex(_ file: PEFile, _ arguments: [Value]) -> Value {
        for (index, section) in file.sections.enumerated() {
            switch arguments.first {
            case .text(let name)?: if section.name.equals(name) { return .integer(Int64(index)) }
            case .integer(let offset)?:
                let start = Int64(section.rawOffset)
                if offset >= start, offset < start + Int64(section.rawSize) { return .integer(Int64(index)) }
            default: return .undefined
            }
        }
        return .undefined
    }

    private func richFunction(_ function: Function, _ arguments: [Value]) -> Value {
        guard let rich = programs.rich, let first = arguments.first?.integer else { return .undefined }
        let second = arguments.count > 1 ? arguments[1].integer : nil
        var sum: Int64 = 0
        for entry in rich.entries {
            let own = function == .peRichSignatureVersion ? Int64(entry.build) : Int64(entry.product)
            let other = function == .peRichSignatureVersion ? Int64(entry.product) : Int64(entry.build)
            if own == first, second == nil || second == other { sum += Int64(entry.count) }
        }
        return .integer(sum)
    }
}

extension ByteView {
    func equalsIgnoringCase(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where lowercased(self[index]) != lowercased(other[index]) { return false }
        return true
    }
}
