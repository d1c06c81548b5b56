import BytesE
import Executables

/// What rules ask about an object that is a program. Each part is read when it is asked for first.
struct ProgramFacts {
    private let object: ByteView
    private var readPE: Lazy<PEFile> = .unread
    private var readELF: Lazy<ELFFile> = .unread
    private var readAddresses: PEAddresses?
    private var readExports: Lazy<PEExportTable> = .unread
    private var readRich: Lazy<PERichHeader> = .unread
    private var readCertificates: [Certificate]?
    private var readResources: [PEResource]?
    private var readVersions: [(key: [UInt8], value: [UInt8])]?
    private var readImports: [PEImport]?
    private var readSections: [ELFSection]?
    private var readNames: [ByteView]?
    private var readDynamic: [ELFDynamicEntry]?
    private var readSymbols: (symbols: [ELFSymbol]?, dynamic: [ELFSymbol]?) = (nil, nil)

    private enum Lazy<T> {
        case unread, absent
        case present(T)

        init(_ value: T?) {
            if let value { self = .present(value) } else { self = .absent }
        }
    }

    init(_ object: ByteView) {
        self.object = object
    }

    var pe: PEFile? {
        mutating get {
            if case .unread = readPE { readPE = .init(PEFile(object)) }
            if case .present(let file) = readPE { return file }
            return nil
        }
    }

    var elf: ELFFile? {
        mutating get {
            if case .unread = readELF { readELF = .init(ELFFile(object)) }
            if case .present(let file) = readELF { return file }
            return nil
        }
    }

    /// How addresses of the PE file map to places.
    var addresses: PEAddresses? {
        mutating get {
            if let readAddresses { return readAddresses }
            readAddresses = pe?.addresses
            return readAddresses
        }
    }

    var exports: PEExportTable? {
        mutating get {
            if case .unread = readExports {
                readExports = .absent
                if let file = pe, let addresses, let table = file.exports(addresses) { readExports = .present(table) }
            }
            if case .present(let table) = readExports { return table }
            return nil
        }
    }

    var rich: PERichHeader? {
        mutating get {
            if case .unread = readRich { readRich = .init(pe?.richHeader) }
            if case .present(let header) = readRich { return header }
            return nil
        }
    }

    var certificates: [Certificate] {
        mutating get {
            if let readCertificates { return readCertificates }
            var result: [Certificate] = []
            if let file = pe {
                for entry in file.certificates where entry.type == PEFile.signedData && result.count < 16 {
                    result += Certificate.signers(of: entry.content)
                }
            }
            readCertificates = result
            return result
        }
    }

    var resources: [PEResource] {
        mutating get {
            if let readResources { return readResources }
            var result: [PEResource] = []
            if let file = pe, let addresses {
                file.forEachResource(addresses) { resource in
                    result.append(resource)
                    return result.count < 65_536
                }
            }
            readResources = result
            return result
        }
    }

    /// The version information, in bytes of the characters that are one.
    var versions: [(key: [UInt8], value: [UInt8])] {
        mutating get {
            if let readVersions { return readVersions }
            var result: [(key: [UInt8], value: [UInt8])] = []
            if let file = pe, let addresses {
                file.forEachVersionString(addresses) { string in
                    if result.count < 1024 { result.append((narrowed(string.key), narrowed(string.value))) }
                }
            }
            readVersions = result
            return result
        }
    }

    var imports: [PEImport] {
        mutating get {
            if let readImports { return readImports }
            var result: [PEImport] = []
            if let file = pe, let addresses {
                file.forEachImport(addresses) { entry in
                    result.append(entry)
                    return result.count < 65_536
                }
            }
            readImports = result
            return result
        }
    }

    var elfSections: [ELFSection] {
        mutating get {
            if let readSections { return readSections }
            let result = elf?.sections ?? []
            readSections = result
            return result
        }
    }

    var elfSectionNames: [ByteView] {
        mutating get {
            if let readNames { return readNames }
            let result = elf?.sectionNameList ?? []
            readNames = result
            return result
        }
    }

    var elfDynamic: [ELFDynamicEntry] {
        mutating get {
            if let readDynamic { return readDynamic }
            let result = elf?.dynamicEntries ?? []
            readDynamic = result
            return result
        }
    }

    mutating func elfSymbols(dynamic: Bool) -> [ELFSymbol] {
        if let known = dynamic ? readSymbols.dynamic : readSymbols.symbols { return known }
        var result: [ELFSymbol] = []
        elf?.forEachSymbol(dynamic ? ELFSection.dynamicSymbols : ELFSection.symbolTable) { symbol in
            result.append(symbol)
            return true
        }
        if dynamic { readSymbols.dynamic = result } else { readSymbols.symbols = result }
        return result
    }

    /// The place of the first instruction.
    var entryPoint: Int64? {
        mutating get {
            if let file = pe {
                return addresses?.offset(of: file.header.entryPoint).map { Int64($0) }
            }
            guard let file = elf else { return nil }
            return file.offset(of: file.entryAddress).map { Int64($0) }
        }
    }
}

/// Characters below 256 of UTF-16 text as bytes, others as "?".
private func narrowed(_ text: ByteView) -> [UInt8] {
    var result: [UInt8] = []
    var at = 0
    while at + 1 < text.count, result.count < 4096 {
        let (low, high) = (text[at], text[at + 1])
        if low == 0, high == 0 { break }
        result.append(high == 0 ? low : UInt8(ascii: "?"))
        at += 2
    }
    return result
}
