import BytesE
import CModuleABI
import DatabaseSections
import Executables

/// The icons that logical signatures ask for by their groups.
struct IconSet {
    private let icons: Section

    /// Icons a database may have: each is compared with each of a program.
    private static let iconLimit = 65_536

    init(_ table: SectionTable) throws(DatabaseError) {
        icons = try table.section(EM_SECTION_ICONS, element: MemoryLayout<em_icon>.stride)
        guard icons.count <= Self.iconLimit else {
            throw DatabaseError(.damaged, section: EM_SECTION_ICONS, "too many icons")
        }
    }

    /// What the icons of a program look like.
    static func metrics(of object: ByteView) -> [IconMetrics] {
        guard let file = PEFile(object), let layout = PELayout(file) else { return [] }
        var metrics: [IconMetrics] = []
        file.forEachIcon(layout) { bitmap in
            if let image = IconImage(bitmap: bitmap) { metrics.append(IconMetrics(image)) }
            return true
        }
        return metrics
    }

    /// Whether one of them is similar to an icon that is in both groups; 0 is any group.
    func contains(_ metrics: [IconMetrics], first: UInt32, second: UInt32) -> Bool {
        guard !metrics.isEmpty else { return false }
        for i in 0..<icons.count {
            guard let entry = icons.element(i, as: em_icon.self), first == 0 || entry.first_group == first,
                second == 0 || entry.second_group == second
            else { continue }
            let start = i * MemoryLayout<em_icon>.stride + 8
            guard let icon = IconMetrics(digits: icons.bytes.slice(start, start + IconMetrics.digitCount)) else {
                continue
            }
            for candidate in metrics where candidate.isSimilar(to: icon) { return true }
        }
        return false
    }
}
