import BytesE
import CCrypto
import Executables

extension Evaluator {
    /// A field of a module; `index` is undefined for fields outside of arrays.
    func moduleField(_ field: Field, _ index: Value) -> Value {
        if field == .peIsPe { return .boolean(programs.pe != nil) }
        if field.rawValue <= Field.peSignaturesNotAfter.rawValue { return peField(field, index) }
        switch field {
        case .peDataDirectoriesCount, .peSectionsCount, .peVersionInfoListCount, .peResourcesCount,
            .peExportDetailsCount, .peSignaturesCount, .peVersionInfoCount, .peVersionInfoKey, .peVersionInfoValue:
            return peField(field, index)
        default: return elfField(field, index)
        }
    }

    private func number<T: BinaryInteger>(_ value: T) -> Value { .integer(Int64(truncatingIfNeeded: value)) }
    private func kept(_ text: [UInt8]) -> Value { texts.keep(text).map { .text($0) } ?? .undefined }

    private func item<T>(_ list: [T], _ index: Value) -> T? {
        guard let number = index.integer, number >= 0, number < list.count else { return nil }
        return list[Int(number)]
    }

    private func peField(_ field: Field, _ index: Value) -> Value {
        guard let file = programs.pe else { return .undefined }
        let header = file.header
        switch field {
        case .peMachine: return number(header.machine)
        case .peNumberOfSections: return number(header.sectionCount)
        case .peTimestamp: return number(header.timestamp)
        case .pePointerToSymbolTable: return number(header.symbolTable)
        case .peNumberOfSymbols: return number(header.symbolCount)
        case .peSizeOfOptionalHeader: return number(header.optionalHeaderSize)
        case .peCharacteristics: return number(header.characteristics)
        case .peOpthdrMagic: return number(header.magic)
        case .peSizeOfCode: return number(header.sizeOfCode)
        case .peSizeOfInitializedData: return number(header.sizeOfInitializedData)
        case .peSizeOfUninitializedData: return number(header.sizeOfUninitializedData)
        case .peEntryPoint: return programs.entryPoint.map { .integer($0) } ?? .integer(-1)
        case .peEntryPointRaw: return number(header.entryPoint)
        case .peBaseOfCode: return number(header.baseOfCode)
        case .peBaseOfData: return header.isPlus ? .undefined : number(header.baseOfData)
        case .peImageBase: return number(header.imageBase)
        case .peSectionAlignment: return number(header.sectionAlignment)
        case .peFileAlignment: return number(header.fileAlignment)
        case .peLinkerVersionMajor: return number(header.linkerVersion.major)
        case .peLinkerVersionMinor: return number(header.linkerVersion.minor)
        case .peOsVersionMajor: return number(header.systemVersion.major)
        case .peOsVersionMinor: return number(header.systemVersion.minor)
        case .peImageVersionMajor: return number(header.imageVersion.major)
        case .peImageVersionMinor: return number(header.imageVersion.minor)
        case .peSubsystemVersionMajor: return number(header.subsystemVersion.major)
        case .peSubsystemVersionMinor: return number(header.subsystemVersion.minor)
        case .peWin32VersionValue: return number(header.win32VersionValue)
        case .peSizeOfImage: return number(header.sizeOfImage)
        case .peSizeOfHeaders: return number(header.sizeOfHeaders)
        case .peChecksum: return number(header.checksum)
        case .peSubsystem: return number(header.subsystem)
        case .peDllCharacteristics: return number(header.dllCharacteristics)
        case .peSizeOfStackReserve: return number(header.sizeOfStackReserve)
        case .peSizeOfStackCommit: return number(header.sizeOfStackCommit)
        case .peSizeOfHeapReserve: return number(header.sizeOfHeapReserve)
        case .peSizeOfHeapCommit: return number(header.sizeOfHeapCommit)
        case .peLoaderFlags: return number(header.loaderFlags)
        case .peNumberOfRvaAndSizes: return number(header.directoryCount)
        case .peDataDirectoriesCount: return number(min(header.directoryCount, 16))
        case .peDataDirectoriesVirtualAddress, .peDataDirectoriesSize:
            guard let number = index.integer, number >= 0, number < Int64(min(header.directoryCount, 16)) else {
                return .undefined
            }
            let at = header.optionalHeader + header.fixedOptionalSize + 8 * Int(number)
            let value = file.bytes.load(UInt32.self, at: field == .peDataDirectoriesSize ? at + 4 : at)
            return value.map { self.number($0) } ?? .undefined
        case .peOverlayOffset:
            // Nothing behind the sections: no place either.
            return file.overlay.isEmpty ? .integer(0) : number(file.overlay.lowerBound)
        case .peOverlaySize: return number(file.overlay.count)
        case .pePdbPath:
            return programs.addresses.flatMap { file.debugPath($0) }.map { .text($0) } ?? .undefined
        case .peNumberOfVersionInfos, .peVersionInfoListCount, .peVersionInfoCount:
            return number(programs.versions.count)
        case .peVersionInfo: return versionInfo(index)
        case .peVersionInfoListKey, .peVersionInfoKey:
            return item(programs.versions, index).map { kept($0.key) } ?? .undefined
        case .peVersionInfoListValue, .peVersionInfoValue:
            return item(programs.versions, index).map { kept($0.value) } ?? .undefined
        case .peResourceTimestamp, .peResourceVersionMajor, .peResourceVersionMinor: return resourceHeader(file, field)
        case .peNumberOfImports: return number(libraryCount(isDelayed: false))
        case .peNumberOfDelayedImports: return number(libraryCount(isDelayed: true))
        case .peNumberOfImportedFunctions: return number(programs.imports.count { !$0.isDelayed })
        case .peNumberOfDelayedImportedFunctions: return number(programs.imports.count { $0.isDelayed })
        case .peRichSignatureOffset, .peRichSignatureLength, .peRichSignatureKey, .peRichSignatureRawData,
            .peRichSignatureClearData, .peRichSignatureVersionData:
            return richField(field, file)
        case .peNumberOfSignatures, .peSignaturesCount: return number(programs.certificates.count)
        case .peIsSigned: return .boolean(!programs.certificates.isEmpty)
        default: break
        }
        if field.rawValue >= Field.peSectionsName.rawValue,
            field.rawValue <= Field.peSectionsNumberOfLineNumbers.rawValue
                || field == .peSectionsCount
        {
            return sectionField(field, file, index)
        }
        if field == .peSectionsCount { return number(file.sections.count) }
        if field.rawValue >= Field.peNumberOfResources.rawValue,
            field.rawValue <= Field.peResourcesLanguageString.rawValue
        {
            return resourceField(field, index)
        }
        if field == .peResourcesCount { return number(programs.resources.count) }
        if field.rawValue >= Field.peSignaturesThumbprint.rawValue,
            field.rawValue <= Field.peSignaturesNotAfter.rawValue
        {
            return certificateField(field, index)
        }
        return exportField(field, index)
    }

    private func sectionField(_ field: Field, _ file: PEFile, _ index: Value) -> Value {
        guard field != .peSectionsCount else { return number(file.sections.count) }
        guard let section = item(file.sections, index) else { return .undefined }
        switch field {
        case .peSectionsName, .peSectionsFullName: return .text(section.name)
        case .peSectionsVirtualAddress: return number(section.virtualAddress)
        case .peSectionsVirtualSize: return number(section.virtualSize)
        case .peSectionsRawDataOffset: return number(section.rawOffset)
        case .peSectionsRawDataSize: return number(section.rawSize)
        case .peSectionsCharacteristics: return number(section.characteristics)
        case .peSectionsPointerToRelocations: return number(section.relocations)
        case .peSectionsPointerToLineNumbers: return number(section.lineNumbers)
        case .peSectionsNumberOfRelocations: return number(section.relocationCount)
        default: return number(section.lineNumberCount)
        }
    }

    private func versionInfo(_ key: Value) -> Value {
        guard let key = key.text else { return .undefined }
        for entry in programs.versions where key.equals(entry.key) { return kept(entry.value) }
        return .undefined
    }

    private func libraryCount(isDelayed: Bool) -> Int {
        var count = 0
        var last = ByteView()
        for entry in programs.imports where entry.isDelayed == isDelayed {
            if entry.library.base != last.base { count += 1 }
            last = entry.library
        }
        return count
    }

    private func resourceHeader(_ file: PEFile, _ field: Field) -> Value {
        guard let directory = file.directory(.resources), directory.address != 0,
            let at = programs.addresses?.offset(of: directory.address)
        else { return .undefined }
        switch field {
        case .peResourceTimestamp: return file.bytes.load(UInt32.self, at: at + 4).map { number($0) } ?? .undefined
        case .peResourceVersionMajor: return file.bytes.load(UInt16.self, at: at + 8).map { number($0) } ?? .undefined
        default: return file.bytes.load(UInt16.self, at: at + 10).map { number($0) } ?? .undefined
        }
    }

    private func resourceField(_ field: Field, _ index: Value) -> Value {
        if field == .peNumberOfResources { return number(programs.resources.count) }
        guard let resource = item(programs.resources, index) else { return .undefined }
        func named(_ name: PEResourceName) -> Value { name.number.map { number($0) } ?? .undefined }
        func text(_ name: PEResourceName) -> Value {
            if case .text(let text) = name { return .text(text) }
            return .undefined
        }
        switch field {
        case .peResourcesRva: return number(resource.address)
        case .peResourcesOffset:
            return programs.addresses?.offset(of: resource.address).map { number($0) } ?? .undefined
        case .peResourcesLength: return number(resource.size)
        case .peResourcesType: return named(resource.type)
        case .peResourcesId: return named(resource.name)
        case .peResourcesLanguage: return named(resource.language)
        case .peResourcesTypeString: return text(resource.type)
        case .peResourcesNameString: return text(resource.name)
        default: return text(resource.language)
        }
    }

    private func richField(_ field: Field, _ file: PEFile) -> Value {
        guard let rich = programs.rich else { return .undefined }
        // Up to the mark "Rich", which ends the masked part.
        let raw = file.bytes.slice(rich.extent.lowerBound, rich.extent.upperBound - 8)
        switch field {
        case .peRichSignatureOffset: return number(rich.extent.lowerBound)
        case .peRichSignatureLength: return number(raw.count)
        case .peRichSignatureKey: return number(rich.key)
        case .peRichSignatureRawData: return .text(raw)
        case .peRichSignatureClearData:
            var clear: [UInt8] = []
            for index in 0..<raw.count {
                clear.append(raw[index] ^ UInt8(truncatingIfNeeded: rich.key >> UInt32(8 * (index & 3))))
            }
            return kept(clear)
        default:
            var data: [UInt8] = []
            for entry in rich.entries {
                data.append(UInt8(truncatingIfNeeded: entry.build))
                data.append(UInt8(truncatingIfNeeded: entry.build >> 8))
            }
            return kept(data)
        }
    }

    private func certificateField(_ field: Field, _ index: Value) -> Value {
        guard let certificate = item(programs.certificates, index) else { return .undefined }
        switch field {
        case .peSignaturesThumbprint: return digest(CCRYPTO_SHA1, certificate.bytes)
        case .peSignaturesIssuer: return kept(Certificate.line(certificate.issuer))
        case .peSignaturesSubject: return kept(Certificate.line(certificate.subject))
        case .peSignaturesVersion: return .integer(certificate.version)
        case .peSignaturesAlgorithm: return kept(Certificate.algorithmName(certificate.algorithm))
        case .peSignaturesAlgorithmOid: return kept(Certificate.dotted(certificate.algorithm))
        case .peSignaturesSerial: return kept(certificate.serialText)
        case .peSignaturesNotBefore: return .integer(certificate.notBefore)
        default: return .integer(certificate.notAfter)
        }
    }

    private func exportField(_ field: Field, _ index: Value) -> Value {
        guard let table = programs.exports else {
            return field == .peNumberOfExports || field == .peExportDetailsCount ? .integer(0) : .undefined
        }
        switch field {
        case .peNumberOfExports, .peExportDetailsCount: return number(table.exports.count)
        case .peDllName: return table.libraryName.map { .text($0) } ?? .undefined
        case .peExportTimestamp: return number(table.timestamp)
        default: break
        }
        guard let entry = item(table.exports, index) else { return .undefined }
        switch field {
        case .peExportDetailsOffset:
            return programs.addresses?.offset(of: entry.address).map { number($0) } ?? .undefined
        case .peExportDetailsName: return entry.name.map { .text($0) } ?? .undefined
        case .peExportDetailsForwardName: return entry.forwarder.map { .text($0) } ?? .undefined
        case .peExportDetailsOrdinal: return number(entry.ordinal)
        default: return number(entry.address)
        }
    }

    // MARK: - ELF

    private func elfField(_ field: Field, _ index: Value) -> Value {
        guard let file = programs.elf else { return .undefined }
        switch field {
        case .elfType: return number(file.type)
        case .elfMachine: return number(file.machine)
        case .elfEntryPoint: return programs.entryPoint.map { .integer($0) } ?? .undefined
        case .elfNumberOfSections: return number(file.sectionCount)
        case .elfNumberOfSegments: return number(file.segmentCount)
        case .elfShOffset: return number(file.sectionTable)
        case .elfShEntrySize: return number(file.sectionEntrySize)
        case .elfPhOffset: return number(file.segmentTable)
        case .elfPhEntrySize: return number(file.segmentEntrySize)
        case .elfSectionsCount: return number(programs.elfSections.count)
        case .elfSegmentsCount: return number(file.segments.count)
        case .elfDynamicSectionEntries, .elfDynamicCount: return number(programs.elfDynamic.count)
        case .elfSymtabEntries, .elfSymtabCount: return number(programs.elfSymbols(dynamic: false).count)
        case .elfDynsymEntries, .elfDynsymCount: return number(programs.elfSymbols(dynamic: true).count)
        case .elfSectionsName: return item(programs.elfSectionNames, index).map { .text($0) } ?? .undefined
        case .elfSectionsType, .elfSectionsFlags, .elfSectionsAddress, .elfSectionsSize, .elfSectionsOffset:
            guard let section = item(programs.elfSections, index) else { return .undefined }
            switch field {
            case .elfSectionsType: return number(section.type)
            case .elfSectionsFlags: return number(section.flags)
            case .elfSectionsAddress: return number(section.address)
            case .elfSectionsSize: return number(section.size)
            default: return number(section.offset)
            }
        case .elfDynamicType: return item(programs.elfDynamic, index).map { number($0.type) } ?? .undefined
        case .elfDynamicVal: return item(programs.elfDynamic, index).map { number($0.value) } ?? .undefined
        default: break
        }
        if field.rawValue >= Field.elfSegmentsType.rawValue, field.rawValue <= Field.elfSegmentsAlignment.rawValue {
            guard let segment = item(file.segments, index) else { return .undefined }
            switch field {
            case .elfSegmentsType: return number(segment.type)
            case .elfSegmentsFlags: return number(segment.flags)
            case .elfSegmentsOffset: return number(segment.offset)
            case .elfSegmentsVirtualAddress: return number(segment.address)
            case .elfSegmentsPhysicalAddress: return number(segment.physicalAddress)
            case .elfSegmentsFileSize: return number(segment.fileSize)
            case .elfSegmentsMemorySize: return number(segment.memorySize)
            default: return number(segment.alignment)
            }
        }
        let isDynamic = field.rawValue >= Field.elfDynsymName.rawValue
        guard let symbol = item(programs.elfSymbols(dynamic: isDynamic), index) else { return .undefined }
        switch field {
        case .elfSymtabName, .elfDynsymName: return .text(symbol.name)
        case .elfSymtabValue, .elfDynsymValue: return number(symbol.value)
        case .elfSymtabSize, .elfDynsymSize: return number(symbol.size)
        case .elfSymtabType, .elfDynsymType: return number(symbol.type)
        case .elfSymtabBind, .elfDynsymBind: return number(symbol.binding)
        case .elfSymtabShndx, .elfDynsymShndx: return number(symbol.section)
        default: return .undefined
        }
    }
}
