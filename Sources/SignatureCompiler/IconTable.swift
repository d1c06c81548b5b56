import Bytes
import CModuleABI
import DataModule

/// Collects icons and makes their section.
struct IconTable {
    private var bytes: [UInt8] = []
    private var count = 0

    mutating func add(_ line: IconLine) {
        var entry = em_icon()
        entry.first_group = line.firstGroup
        entry.second_group = line.secondGroup
        bytes += RawStruct.bytes(entry).prefix(8)
        bytes += line.digits.array
        count += 1
    }

    func finish() -> [DatabaseSection] {
        guard count > 0 else { return [] }
        return [DatabaseSection(EM_SECTION_ICONS, version: EM_SECTION_VERSION, count: count, [.init(bytes)])]
    }
}
