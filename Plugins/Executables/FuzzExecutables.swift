package import BytesE
import CModuleABI

/// Reads any bytes as each kind of program, and everything that can be asked of it. Traps when a bound is broken.
/// For fuzzing and replay tests.
package func fuzzExecutables(_ bytes: ByteView) {
    _ = ExecutableFormat(bytes)
    for target in [EM_TARGET_PE, EM_TARGET_ELF, EM_TARGET_MACHO] {
        let layout = ExecutableLayout(bytes, target: target)
        precondition(layout.isBroken == (layout.entry == nil))
        if target == EM_TARGET_PE {
            for section in layout.sections where !section.isEmpty { precondition(section.upperBound <= bytes.count) }
        }
        for place in layout.versionStrings() { precondition(place < bytes.count) }
    }
    if let file = PEFile(bytes) { fuzz(file) }
}

private func fuzz(_ file: PEFile) {
    precondition(file.overlay.upperBound == file.bytes.count)
    var count = 0
    file.forEachResource(file.addresses) { resource in
        count += 1
        precondition(count <= PEFile.resourceLimit)
        _ = file.content(of: resource, file.addresses)
        return true
    }
}
