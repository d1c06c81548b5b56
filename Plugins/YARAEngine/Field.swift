import BytesE

/// Fields of modules: see `Schema` for their types.
enum Field: UInt8, CaseIterable {
    case peIsPe, peMachine, peNumberOfSections, peTimestamp, pePointerToSymbolTable, peNumberOfSymbols
    case peSizeOfOptionalHeader, peCharacteristics, peOpthdrMagic, peSizeOfCode, peSizeOfInitializedData
    case peSizeOfUninitializedData, peEntryPoint, peEntryPointRaw, peBaseOfCode, peBaseOfData, peImageBase
    case peSectionAlignment, peFileAlignment, peLinkerVersionMajor, peLinkerVersionMinor, peOsVersionMajor
    case peOsVersionMinor, peImageVersionMajor, peImageVersionMinor, peSubsystemVersionMajor
    case peSubsystemVersionMinor, peWin32VersionValue, peSizeOfImage, peSizeOfHeaders, peChecksum
    case peSubsystem, peDllCharacteristics, peSizeOfStackReserve, peSizeOfStackCommit, peSizeOfHeapReserve
    case peSizeOfHeapCommit, peLoaderFlags, peNumberOfRvaAndSizes, peDataDirectoriesVirtualAddress
    case peDataDirectoriesSize, peSectionsName, peSectionsFullName, peSectionsVirtualAddress
    case peSectionsVirtualSize, peSectionsRawDataOffset, peSectionsRawDataSize, peSectionsCharacteristics
    case peSectionsPointerToRelocations, peSectionsPointerToLineNumbers, peSectionsNumberOfRelocations
    case peSectionsNumberOfLineNumbers, peOverlayOffset, peOverlaySize, peVersionInfo
    case peNumberOfVersionInfos, peVersionInfoListKey, peVersionInfoListValue, pePdbPath
    case peNumberOfResources, peResourceTimestamp, peResourceVersionMajor, peResourceVersionMinor
    case peResourcesRva, peResourcesOffset, peResourcesLength, peResourcesType, peResourcesId
    case peResourcesLanguage, peResourcesTypeString, peResourcesNameString, peResourcesLanguageString
    case peNumberOfImports, peNumberOfImportedFunctions, peNumberOfDelayedImports
    case peNumberOfDelayedImportedFunctions, peNumberOfExports, peDllName, peExportTimestamp
    case peExportDetailsOffset, peExportDetailsName, peExportDetailsForwardName, peExportDetailsOrdinal
    case peExportDetailsRva, peRichSignatureOffset, peRichSignatureLength, peRichSignatureKey
    case peRichSignatureRawData, peRichSignatureClearData, peRichSignatureVersionData, peNumberOfSignatures
    case peIsSigned, peSignaturesThumbprint, peSignaturesIssuer, peSignaturesSubject, peSignaturesVersion
    case peSignaturesAlgorithm, peSignaturesAlgorithmOid, peSignaturesSerial, peSignaturesNotBefore
    case peSignaturesNotAfter, elfType, elfMachine, elfEntryPoint, elfNumberOfSections, elfNumberOfSegments
    case elfShOffset, elfShEntrySize, elfPhOffset, elfPhEntrySize, elfSectionsType, elfSectionsFlags
    case elfSectionsAddress, elfSectionsName, elfSectionsSize, elfSectionsOffset, elfSegmentsType
    case elfSegmentsFlags, elfSegmentsOffset, elfSegmentsVirtualAddress, elfSegmentsPhysicalAddress
    case elfSegmentsFileSize, elfSegmentsMemorySize, elfSegmentsAlignment, elfDynamicSectionEntries
    case elfDynamicType, elfDynamicVal, elfSymtabEntries, elfSymtabName, elfSymtabValue, elfSymtabSize
    case elfSymtabType, elfSymtabBind, elfSymtabShndx, elfDynsymEntries, elfDynsymName, elfDynsymValue
    case elfDynsymSize, elfDynsymType, elfDynsymBind, elfDynsymShndx, peDataDirectoriesCount
    case peSectionsCount, peVersionInfoListCount, peResourcesCount, peExportDetailsCount, peSignaturesCount
    case elfSectionsCount, elfSegmentsCount, elfDynamicCount, elfSymtabCount, elfDynsymCount
    case peVersionInfoCount, peVersionInfoKey, peVersionInfoValue

    /// The field of a path, or nil when there is none.
    init?(_ path: ByteView) {
        for candidate in Self.allCases where path.equals(ByteView(candidate.path)) {
            self = candidate
            return
        }
        return nil
    }

    private var path: StaticString {
        switch self {
        case .peIsPe: return "pe.is_pe"
        case .peMachine: return "pe.machine"
        case .peNumberOfSections: return "pe.number_of_sections"
        case .peTimestamp: return "pe.timestamp"
        case .pePointerToSymbolTable: return "pe.pointer_to_symbol_table"
        case .peNumberOfSymbols: return "pe.number_of_symbols"
        case .peSizeOfOptionalHeader: return "pe.size_of_optional_header"
        case .peCharacteristics: return "pe.characteristics"
        case .peOpthdrMagic: return "pe.opthdr_magic"
        case .peSizeOfCode: return "pe.size_of_code"
        case .peSizeOfInitializedData: return "pe.size_of_initialized_data"
        case .peSizeOfUninitializedData: return "pe.size_of_uninitialized_data"
        case .peEntryPoint: return "pe.entry_point"
        case .peEntryPointRaw: return "pe.entry_point_raw"
        case .peBaseOfCode: return "pe.base_of_code"
        case .peBaseOfData: return "pe.base_of_data"
        case .peImageBase: return "pe.image_base"
        case .peSectionAlignment: return "pe.section_alignment"
        case .peFileAlignment: return "pe.file_alignment"
        case .peLinkerVersionMajor: return "pe.linker_version.major"
        case .peLinkerVersionMinor: return "pe.linker_version.minor"
        case .peOsVersionMajor: return "pe.os_version.major"
        case .peOsVersionMinor: return "pe.os_version.minor"
        case .peImageVersionMajor: return "pe.image_version.major"
        case .peImageVersionMinor: return "pe.image_version.minor"
        case .peSubsystemVersionMajor: return "pe.subsystem_version.major"
        case .peSubsystemVersionMinor: return "pe.subsystem_version.minor"
        case .peWin32VersionValue: return "pe.win32_version_value"
        case .peSizeOfImage: return "pe.size_of_image"
        case .peSizeOfHeaders: return "pe.size_of_headers"
        case .peChecksum: return "pe.checksum"
        case .peSubsystem: return "pe.subsystem"
        case .peDllCharacteristics: return "pe.dll_characteristics"
        case .peSizeOfStackReserve: return "pe.size_of_stack_reserve"
        case .peSizeOfStackCommit: return "pe.size_of_stack_commit"
        case .peSizeOfHeapReserve: return "pe.size_of_heap_reserve"
        case .peSizeOfHeapCommit: return "pe.size_of_heap_commit"
        case .peLoaderFlags: return "pe.loader_flags"
        case .peNumberOfRvaAndSizes: return "pe.number_of_rva_and_sizes"
        case .peDataDirectoriesVirtualAddress: return "pe.data_directories.virtual_address"
        case .peDataDirectoriesSize: return "pe.data_directories.size"
        case .peSectionsName: return "pe.sections.name"
        case .peSectionsFullName: return "pe.sections.full_name"
        case .peSectionsVirtualAddress: return "pe.sections.virtual_address"
        case .peSectionsVirtualSize: return "pe.sections.virtual_size"
        case .peSectionsRawDataOffset: return "pe.sections.raw_data_offset"
        case .peSectionsRawDataSize: return "pe.sections.raw_data_size"
        case .peSectionsCharacteristics: return "pe.sections.characteristics"
        case .peSectionsPointerToRelocations: return "pe.sections.pointer_to_relocations"
        case .peSectionsPointerToLineNumbers: return "pe.sections.pointer_to_line_numbers"
        case .peSectionsNumberOfRelocations: return "pe.sections.number_of_relocations"
        case .peSectionsNumberOfLineNumbers: return "pe.sections.number_of_line_numbers"
        case .peOverlayOffset: return "pe.overlay.offset"
        case .peOverlaySize: return "pe.overlay.size"
        case .peVersionInfo: return "pe.version_info"
        case .peNumberOfVersionInfos: return "pe.number_of_version_infos"
        case .peVersionInfoListKey: return "pe.version_info_list.key"
        case .peVersionInfoListValue: return "pe.version_info_list.value"
        case .pePdbPath: return "pe.pdb_path"
        case .peNumberOfResources: return "pe.number_of_resources"
        case .peResourceTimestamp: return "pe.resource_timestamp"
        case .peResourceVersionMajor: return "pe.resource_version.major"
        case .peResourceVersionMinor: return "pe.resource_version.minor"
        case .peResourcesRva: return "pe.resources.rva"
        case .peResourcesOffset: return "pe.resources.offset"
        case .peResourcesLength: return "pe.resources.length"
        case .peResourcesType: return "pe.resources.type"
        case .peResourcesId: return "pe.resources.id"
        case .peResourcesLanguage: return "pe.resources.language"
        case .peResourcesTypeString: return "pe.resources.type_string"
        case .peResourcesNameString: return "pe.resources.name_string"
        case .peResourcesLanguageString: return "pe.resources.language_string"
        case .peNumberOfImports: return "pe.number_of_imports"
        case .peNumberOfImportedFunctions: return "pe.number_of_imported_functions"
        case .peNumberOfDelayedImports: return "pe.number_of_delayed_imports"
        case .peNumberOfDelayedImportedFunctions: return "pe.number_of_delayed_imported_functions"
        case .peNumberOfExports: return "pe.number_of_exports"
        case .peDllName: return "pe.dll_name"
        case .peExportTimestamp: return "pe.export_timestamp"
        case .peExportDetailsOffset: return "pe.export_details.offset"
        case .peExportDetailsName: return "pe.export_details.name"
        case .peExportDetailsForwardName: return "pe.export_details.forward_name"
        case .peExportDetailsOrdinal: return "pe.export_details.ordinal"
        case .peExportDetailsRva: return "pe.export_details.rva"
        case .peRichSignatureOffset: return "pe.rich_signature.offset"
        case .peRichSignatureLength: return "pe.rich_signature.length"
        case .peRichSignatureKey: return "pe.rich_signature.key"
        case .peRichSignatureRawData: return "pe.rich_signature.raw_data"
        case .peRichSignatureClearData: return "pe.rich_signature.clear_data"
        case .peRichSignatureVersionData: return "pe.rich_signature.version_data"
        case .peNumberOfSignatures: return "pe.number_of_signatures"
        case .peIsSigned: return "pe.is_signed"
        case .peSignaturesThumbprint: return "pe.signatures.thumbprint"
        case .peSignaturesIssuer: return "pe.signatures.issuer"
        case .peSignaturesSubject: return "pe.signatures.subject"
        case .peSignaturesVersion: return "pe.signatures.version"
        case .peSignaturesAlgorithm: return "pe.signatures.algorithm"
        case .peSignaturesAlgorithmOid: return "pe.signatures.algorithm_oid"
        case .peSignaturesSerial: return "pe.signatures.serial"
        case .peSignaturesNotBefore: return "pe.signatures.not_before"
        case .peSignaturesNotAfter: return "pe.signatures.not_after"
        case .elfType: return "elf.type"
        case .elfMachine: return "elf.machine"
        case .elfEntryPoint: return "elf.entry_point"
        case .elfNumberOfSections: return "elf.number_of_sections"
        case .elfNumberOfSegments: return "elf.number_of_segments"
        case .elfShOffset: return "elf.sh_offset"
        case .elfShEntrySize: return "elf.sh_entry_size"
        case .elfPhOffset: return "elf.ph_offset"
        case .elfPhEntrySize: return "elf.ph_entry_size"
        case .elfSectionsType: return "elf.sections.type"
        case .elfSectionsFlags: return "elf.sections.flags"
        case .elfSectionsAddress: return "elf.sections.address"
        case .elfSectionsName: return "elf.sections.name"
        case .elfSectionsSize: return "elf.sections.size"
        case .elfSectionsOffset: return "elf.sections.offset"
        case .elfSegmentsType: return "elf.segments.type"
        case .elfSegmentsFlags: return "elf.segments.flags"
        case .elfSegmentsOffset: return "elf.segments.offset"
        case .elfSegmentsVirtualAddress: return "elf.segments.virtual_address"
        case .elfSegmentsPhysicalAddress: return "elf.segments.physical_address"
        case .elfSegmentsFileSize: return "elf.segments.file_size"
        case .elfSegmentsMemorySize: return "elf.segments.memory_size"
        case .elfSegmentsAlignment: return "elf.segments.alignment"
        case .elfDynamicSectionEntries: return "elf.dynamic_section_entries"
        case .elfDynamicType: return "elf.dynamic.type"
        case .elfDynamicVal: return "elf.dynamic.val"
        case .elfSymtabEntries: return "elf.symtab_entries"
        case .elfSymtabName: return "elf.symtab.name"
        case .elfSymtabValue: return "elf.symtab.value"
        case .elfSymtabSize: return "elf.symtab.size"
        case .elfSymtabType: return "elf.symtab.type"
        case .elfSymtabBind: return "elf.symtab.bind"
        case .elfSymtabShndx: return "elf.symtab.shndx"
        case .elfDynsymEntries: return "elf.dynsym_entries"
        case .elfDynsymName: return "elf.dynsym.name"
        case .elfDynsymValue: return "elf.dynsym.value"
        case .elfDynsymSize: return "elf.dynsym.size"
        case .elfDynsymType: return "elf.dynsym.type"
        case .elfDynsymBind: return "elf.dynsym.bind"
        case .elfDynsymShndx: return "elf.dynsym.shndx"
        case .peDataDirectoriesCount: return "pe.data_directories#count"
        case .peSectionsCount: return "pe.sections#count"
        case .peVersionInfoListCount: return "pe.version_info_list#count"
        case .peResourcesCount: return "pe.resources#count"
        case .peExportDetailsCount: return "pe.export_details#count"
        case .peSignaturesCount: return "pe.signatures#count"
        case .elfSectionsCount: return "elf.sections#count"
        case .elfSegmentsCount: return "elf.segments#count"
        case .elfDynamicCount: return "elf.dynamic#count"
        case .elfSymtabCount: return "elf.symtab#count"
        case .elfDynsymCount: return "elf.dynsym#count"
        case .peVersionInfoCount: return "pe.version_info#count"
        case .peVersionInfoKey: return "pe.version_info#key"
        case .peVersionInfoValue: return "pe.version_info#value"
        }
    }
}
