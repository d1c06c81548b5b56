import CModuleABI
import Configuration
import ScanProtocol

/// Which parts of a message go, so that no threat is left, under one `av_clean_mode`.
///
/// For a message, cleaning means: the part that holds the threat is taken out and a notice stands in its
/// place. Which part may go:
///
/// | mode     | attachment that is the threat | archive or attached message that holds one | text of the message, or the message itself |
/// |----------|-------------------------------|--------------------------------------------|--------------------------------------------|
/// | none     | stays: infected               | stays: infected                            | stays: infected                            |
/// | standard | removed                       | stays: infected (may hold good files too)  | stays: infected                            |
/// | strict   | removed                       | removed                                    | stays: infected                            |
/// | rigorous | removed                       | removed                                    | replaced by the notice                     |
/// | delete   | the whole content of the message is replaced by one notice, whatever holds the threat ||             |
///
/// One threat that must stay leaves the whole message as it is: infected. What is signed or encrypted
/// is never altered, so a threat in it always stays.
struct CleaningPlan {
    /// nil when a threat must stay: then nothing is removed and the object is infected.
    private(set) var removals: [Removal]?
    private let objects: [UInt64: ObjectInfo]

    init(verdict: ScanVerdict, mode: CleanMode, outline: MessageOutline?) {
        objects = Dictionary(verdict.objects.map { ($0.id, $0) }) { first, _ in first }
        guard mode != .none, let outline else { return }

        var parts: [Removal] = []
        var indexes: [Range<UInt64>: Int] = [:]
        var content: Removal?
        // A message lies around its parts: what matches in an unencoded part matches in the message too. Such a second
        // finding is explained by the part that goes anyway.
        let threats = verdict.threats.map { ($0, position(of: $0, outline)) }
        for (threat, position) in threats.filter({ $0.1 == nil }) + threats.filter({ $0.1 != nil }) {
            if let position, let range = indexes.keys.first(where: { $0.contains(position) }) {
                parts[indexes[range] ?? 0].add(threat.name)
                continue
            }
            switch target(of: threat, mode: mode, outline: outline) {
            case nil:
                return
            case .content:
                content = content ?? Removal(.content)
                content?.add(threat.name)
            case .part(let range):
                let index = indexes[range] ?? parts.count
                if index == parts.count {
                    indexes[range] = index
                    parts.append(Removal(.part(range), name: partName(of: threat.object, range)))
                }
                parts[index].add(threat.name)
            }
        }
        if var content {
            for part in parts { for name in part.threats { content.add(name) } }
            removals = [content]
        } else {
            removals = Self.outermost(parts)
        }
    }

    /// Whether a finding lies in what is removed.
    func covers(_ finding: Finding) -> Bool {
        guard let removals else { return false }
        let range = objects[finding.object]?.rootRange
        return removals.contains { removal in
            switch removal.target {
            case .content: true
            case .part(let removed): range.map { removed.contains($0) } ?? false
            }
        }
    }

    /// Where in the bytes of the whole message a threat lies that was found in the raw bytes of a message: the whole
    /// one, or one that is attached unencoded. nil for all other findings.
    private func position(of threat: Finding, _ outline: MessageOutline) -> UInt64? {
        guard let offset = threat.offset, let object = objects[threat.object] else { return nil }
        guard let range = object.rootRange else { return object.id == 1 ? offset : nil }
        guard outline.isUnencodedMessage(body: range), offset < UInt64(range.count) else { return nil }
        return range.lowerBound + offset
    }

    private func target(of threat: Finding, mode: CleanMode, outline: MessageOutline) -> Removal.Target? {
        let wholeContent: Removal.Target? = outline.canReplaceContent ? .content : nil
        if mode == .delete { return wholeContent }
        guard let range = partRange(of: threat.object, outline) else { return mode == .rigorous ? wholeContent : nil }
        switch outline.kind(ofBody: range) {
        case .protected:
            return nil
        case .attachment, .block:
            return mode != .standard || !isInsideContainer(threat.object, range) ? .part(range) : nil
        case .text:
            return mode == .rigorous ? .part(range) : nil
        case .unknown:
            return mode == .rigorous ? wholeContent : nil
        }
    }

    /// The body of the innermost part of the message that holds an object, or a uuencoded block in a text. An object
    /// may lie in place deeper inside, in an archive for example: only the whole part can go.
    private func partRange(of id: UInt64, _ outline: MessageOutline) -> Range<UInt64>? {
        guard let own = objects[id]?.rootRange else { return nil }
        var next = id
        for _ in 0...objects.count {
            guard let object = objects[next], let range = object.rootRange, range.contains(own) else { return nil }
            if outline.hasPart(body: range) { return range }
            if object.format == Self.blockFormat, let text = objects[object.parent],
                text.rootRange.map(outline.hasPart(body:)) ?? (text.id == 1), outline.kind(ofBody: range) == .block
            {
                return range
            }
            next = object.parent
        }
        return nil
    }

    /// What the archives module calls uuencoded files.
    private static let blockFormat = "UUE"

    /// Whether an archive or an attached message stands between the part and the object: it may hold good
    /// files too. Formats with exactly one file inside (gzip, a runtime packer) do not count.
    private func isInsideContainer(_ id: UInt64, _ part: Range<UInt64>) -> Bool {
        ancestors(of: id, inside: part).dropFirst().contains { ancestor in
            [EM_TYPE_ZIP, EM_TYPE_TAR, EM_TYPE_ARCHIVE, EM_TYPE_MAIL].contains(ancestor.type)
        }
    }

    /// The name of the outermost object of the part: what the reader of the message knows it by.
    private func partName(of id: UInt64, _ part: Range<UInt64>) -> String {
        ancestors(of: id, inside: part).last { !$0.name.isEmpty }?.name ?? ""
    }

    /// An object and those around it that lie in a part, innermost first.
    private func ancestors(of id: UInt64, inside part: Range<UInt64>) -> [ObjectInfo] {
        var result: [ObjectInfo] = []
        var next = id
        while result.count <= objects.count, let object = objects[next],
            object.rootRange.map({ part.contains($0) }) ?? false
        {
            result.append(object)
            next = object.parent
        }
        return result
    }

    /// In order of position, without parts that lie in other removed parts (their threats move up).
    private static func outermost(_ parts: [Removal]) -> [Removal] {
        func range(_ removal: Removal) -> Range<UInt64> {
            if case .part(let range) = removal.target { return range }
            return 0..<0
        }
        let sorted = parts.sorted {
            let (a, b) = (range($0), range($1))
            return a.lowerBound != b.lowerBound ? a.lowerBound < b.lowerBound : a.upperBound > b.upperBound
        }
        var kept: [Removal] = []
        for part in sorted {
            if let last = kept.last, range(last).contains(range(part)) {
                for name in part.threats { kept[kept.count - 1].add(name) }
            } else {
                kept.append(part)
            }
        }
        return kept
    }
}

extension Range where Bound == UInt64 {
    /// Whether the other range lies inside. (Also of an empty one.)
    fileprivate func contains(_ other: Range<UInt64>) -> Bool {
        lowerBound <= other.lowerBound && other.upperBound <= upperBound
    }
}

extension Removal {
    fileprivate mutating func add(_ threat: String) {
        if !threats.contains(threat) { threats.append(threat) }
    }
}
