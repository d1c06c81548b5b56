import BytesE
import CModuleABI
import Executables
import ModuleKit
import Unpacking

/// The programs in a universal Mach-O file: one for each architecture, each with headers of its own, to which
/// signatures for Mach-O refer.
final class UniversalUnpacker: Unpacker {
    /// What is left to submit; nil before the first.
    private var left: [Range<Int>]?

    static var extractor: Extractor {
        Extractor(
            "MACHO-UNIVERSAL",
            identify: { candidate in
                guard UniversalFile(candidate.data) != nil else { return nil }
                // Something else may begin behind or between the programs.
                return Claim(.beside, sureness: 90, type: EM_TYPE_MACHO)
            },
            open: { scan, object, _ throws(ModuleError) in UniversalUnpacker(scan, object, format: "MACHO") })
    }

    override func next() throws(ModuleError) -> Bool {
        var left = self.left ?? slices()
        guard !left.isEmpty, mayHaveChildren() else { return false }
        let place = left.removeFirst()
        self.left = left
        try submit(part(place))
        return true
    }

    /// The places of the programs, each once: a table can name one many times.
    private func slices() -> [Range<Int>] {
        guard let file = UniversalFile(data) else { return [] }
        if file.isDamaged { found(EM_OBJECT_MALFORMED) }
        var places: [Range<Int>] = []
        for slice in file.slices where !slice.extent.isEmpty && !places.contains(slice.extent) {
            places.append(slice.extent)
        }
        return places
    }
}
