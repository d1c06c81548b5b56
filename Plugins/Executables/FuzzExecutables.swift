package import BytesE
import CModuleABI

/// Reads any bytes as each kind of program, and everything that can be asked of it. Traps when a bound is broken.
/// For fuzzing and replay tests.
package func fuzzExecutables(_ bytes: ByteView) {
    _ = ExecutableFormat(bytes)
    if let image = IconImage(bitmap: bytes) {
        let metrics = IconMetrics(image)
        _ = metrics.isSimilar(to: metrics)
    }
    if let metrics = IconMetrics(digits: bytes.prefix(IconMetrics.digitCount)) { _ = metrics.isSimilar(to: metrics) }
    for target in [EM_TARGET_PE, EM_TARGET_ELF, EM_TARGET_MACHO] {
        let layout = ExecutableLayout(bytes, target: target)
        precondition(layout.isBroken == (layout.entry == nil))
        if target == EM_TARGET_PE {
            for section in layout.sections where !section.isEmpty { precondition(section.upperBound <= bytes.count) }
        }
        for place in layout.versionStrings() { precondition(place < bytes.count) }
    }
    if let file = PEFile(bytes) { fuzz(file) }
    if let file = ELFFile(bytes) { fuzz(file) }
    if let file = MachOFile(bytes) { fuzz(file) }
    if let file = UniversalFile(bytes) {
        for slice in file.slices { precondition(slice.extent.upperBound <= bytes.count) }
    }
}

private func fuzz(_ file: PEFile) {
    precondition(file.overlay.upperBound == file.bytes.count)
    if let layout = PELayout(file) {
        file.forEachIcon(layout) { bitmap in
            if let image = IconImage(bitmap: bitmap) { _ = IconMetrics(image) }
            return true
        }
    }
    for addresses in [file.addresses, PELayout(file)?.addresses ?? file.addresses] {
        var count = 0
        file.forEachResource(addresses) { resource in
            count += 1
            precondition(count <= PEFile.resourceLimit)
            _ = file.content(of: resource, addresses)
            return true
        }
        for isStrict in [false, true] {
            file.forEachVersionString(addresses, strictly: isStrict) { precondition($0.offset < file.bytes.count) }
        }
        _ = file.importText(addresses, anyNames: true) { precondition($0.count <= PEFile.nameLimit) }
        file.forEachImport(addresses) { $0.library.count <= PEFile.nameLimit }
        var told = 0
        let outcome = file.importText(addresses) { told += $0.count }
        if case .complete(let count) = outcome { precondition(count == told) }
        if let table = file.exports(addresses) { precondition(table.exports.count <= PEFile.exportLimit) }
        _ = file.debugPath(addresses)
    }
    if let rich = file.richHeader { precondition(rich.extent.upperBound <= file.bytes.count) }
    for certificate in file.certificates {
        precondition(certificate.offset + certificate.content.count <= file.bytes.count)
    }
    if let extents = file.authenticodeExtents {
        for extent in extents { precondition(extent.upperBound <= file.bytes.count) }
    }
}

private func fuzz(_ file: ELFFile) {
    _ = file.offset(of: file.entryAddress)
    _ = file.sectionNameList
    _ = file.dynamicEntries
    for type in [ELFSection.symbolTable, ELFSection.dynamicSymbols] {
        var count = 0
        file.forEachSymbol(type) { _ in
            count += 1
            return count <= ELFFile.symbolLimit
        }
    }
}

private func fuzz(_ file: MachOFile) {
    _ = file.libraries
    _ = file.segments
    if let entry = file.entryPoint { precondition(entry < file.bytes.count) }
}
