import BytesE
import CModuleABI
import Executables
import ModuleKit
import Unpacking

/// Files in the resources of Windows programs: raw data, pages, and resources of types that the program named itself.
/// Icons, menus, texts and the like are no files.
final class ResourceUnpacker: Unpacker {
    /// What is left to submit, the last one first; nil before the first.
    private var places: [Range<Int>]?

    private static let most = 1000
    /// Shorter ones hold settings.
    private static let leastSize = 64

    static var extractor: Extractor {
        Extractor(
            "PE-RESOURCES", option: "av_scan_obj_sfx",
            identify: { candidate in
                guard candidate.data.hasPrefix(ByteView("MZ")), let file = PEFile(candidate.data),
                    let directory = file.directory(.resources), directory.address != 0, directory.size != 0
                else { return nil }
                return Claim(.beside, sureness: 50, type: EM_TYPE_UNKNOWN)
            },
            open: { scan, object, _ throws(ModuleError) in ResourceUnpacker(scan, object, format: "PE-RESOURCES") })
    }

    override func next() throws(ModuleError) -> Bool {
        var left = places ?? resources()
        guard let place = left.last, mayHaveChildren() else { return false }
        try scan.check()
        left.removeLast()
        places = left
        try submit(part(place))
        return true
    }

    /// Each place once: a tree can name one many times.
    private func resources() -> [Range<Int>] {
        guard let file = PEFile(data) else { return [] }
        let addresses = file.addresses
        var result: [Range<Int>] = []
        file.forEachResource(addresses) { resource in
            guard holdsFile(resource.type), Int(resource.size) >= Self.leastSize,
                let start = addresses.offset(of: resource.address), start < data.count
            else { return true }
            result.append(start..<min(data.count, start + Int(resource.size)))
            return result.count < Self.most
        }
        if result.count == Self.most { overLimit(EM_BUDGET_OBJECTS) }
        result.sort { ($1.lowerBound, $1.upperBound) < ($0.lowerBound, $0.upperBound) }
        var last: Range<Int>?
        result.removeAll { place in
            defer { last = place }
            return place == last
        }
        return result
    }

    /// Raw data (10), pages (23) and what has a name or a number of its own.
    private func holdsFile(_ type: PEResourceName) -> Bool {
        guard let number = type.number else { return true }
        return number == 10 || number == 23 || number > 24
    }
}
