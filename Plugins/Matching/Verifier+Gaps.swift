import BytesE
import CModuleABI
import DatabaseSections

/// Gaps: what lies behind or before one is looked for by the nearest literal, not tried at each place.
extension Verifier {
    /// A literal that lies at a fixed distance from where an element begins (or, backwards, ends).
    private struct Landmark {
        let literal: em_element
        /// Bytes between the two.
        let distance: Int
    }

    /// Elements that are looked at for a landmark.
    private static var landmarkReach: Int { 8 }
    /// Gaps that leave fewer places are tried place by place.
    private static var fewPlaces: Int { 16 }

    /// The literal nearest to the beginning of element `number`.
    private func landmark(from number: Int, _ job: Job) -> Landmark? {
        var distance = 0
        for next in number..<min(job.end, number + Self.landmarkReach) {
            guard let element = set.elements.element(next, as: em_element.self) else { return nil }
            if element.kind == UInt8(EM_ELEMENT_LITERAL) { return Landmark(literal: element, distance: distance) }
            guard let width = width(of: element) else { return nil }
            distance += width
        }
        return nil
    }

    /// The literal nearest to the end of the element before `number`.
    private func landmark(before number: Int, _ job: Job) -> Landmark? {
        var distance = 0
        for next in stride(from: number - 1, through: max(job.first, number - Self.landmarkReach), by: -1) {
            guard let element = set.elements.element(next, as: em_element.self) else { return nil }
            if element.kind == UInt8(EM_ELEMENT_LITERAL) { return Landmark(literal: element, distance: distance) }
            guard let width = width(of: element) else { return nil }
            distance += width
        }
        return nil
    }

    /// Bytes that an element takes; nil when that varies.
    private func width(of element: em_element) -> Int? {
        switch UInt32(element.kind) {
        case EM_ELEMENT_LITERAL, EM_ELEMENT_MASKED: return Int(element.b)
        case EM_ELEMENT_GAP: return element.a == element.b ? Int(element.a) : nil
        case EM_ELEMENT_ALTERNATIVES: return commonLength(element)
        case EM_ELEMENT_NONWORD_BYTE: return 1
        default: return 0
        }
    }

    // MARK: - Forwards

    /// What follows a gap of bounded length.
    mutating func forwardGap(_ number: Int, _ position: Int, _ gap: em_element, _ job: Job, _ depth: Int) -> Bool {
        guard gap.a <= gap.b, !scratch.hasFailed(UInt32(truncatingIfNeeded: number), position) else { return false }
        guard depth < Self.depthLimit else {
            stop(.limit)
            return false
        }
        let mark = Int(gap.b - gap.a) < Self.fewPlaces ? nil : landmark(from: number + 1, job)
        var start = position + Int(gap.a)
        let last = min(position + Int(gap.b), object.count)
        while start <= last {
            if let mark {
                guard let hit = find(mark.literal, from: start + mark.distance, below: last + 1 + mark.distance, job)
                else { break }
                start = hit - mark.distance
            } else if !spend(1) {
                return false
            }
            if forward(number + 1, start, job, depth + 1) { return true }
            start += 1
        }
        guard goOn else { return false }
        scratch.setFailed(UInt32(truncatingIfNeeded: number), position)
        return false
    }

    /// Whether what follows an unbounded gap matches anywhere from `position` plus `least` on.
    mutating func forwardAnywhere(
        _ number: Int, _ position: Int, _ least: Int, _ job: Job, _ depth: Int
    ) -> Bool {
        guard number + 1 < job.end else {
            matchEnd = position + least
            return position + least <= object.count
        }
        guard depth < Self.depthLimit else {
            stop(.limit)
            return false
        }
        let key = UInt32(truncatingIfNeeded: number) & ~(1 << 31)
        // Starts from here on are known to fail.
        var known = scratch.note(key) ?? (object.count + 1)
        if position + least >= known { return false }
        let mark = landmark(from: number + 1, job)
        var start = position + least
        while start < known, start <= object.count {
            if let mark {
                guard let hit = find(mark.literal, from: start + mark.distance, below: known + mark.distance, job)
                else { break }
                start = hit - mark.distance
            } else if !spend(1) {
                return false
            }
            if forward(number + 1, start, job, depth + 1) { return true }
            guard goOn else { return false }
            start += 1
            // A nested search may have learnt more about later gaps, never about this one.
            known = min(known, scratch.note(key) ?? known)
        }
        guard goOn else { return false }
        scratch.setNote(key, position + least)
        return false
    }

    // MARK: - Backwards

    /// What precedes a gap of bounded length, the nearest place first.
    mutating func backwardGap(_ number: Int, _ position: Int, _ gap: em_element, _ job: Job, _ depth: Int) -> Bool {
        guard gap.a <= gap.b, !scratch.hasFailed(UInt32(truncatingIfNeeded: number), position) else { return false }
        guard depth < Self.depthLimit else {
            stop(.limit)
            return false
        }
        let mark = Int(gap.b - gap.a) < Self.fewPlaces ? nil : landmark(before: number, job)
        var end = position - Int(gap.a)
        let last = max(0, position - Int(gap.b))
        while end >= last {
            if let mark {
                let beyond = mark.distance + Int(mark.literal.b)
                guard let hit = findLast(mark.literal, from: end - beyond, above: last - beyond - 1, job) else { break }
                end = hit + beyond
            } else if !spend(1) {
                return false
            }
            if backward(number, end, job, depth + 1) { return true }
            end -= 1
        }
        guard goOn else { return false }
        scratch.setFailed(UInt32(truncatingIfNeeded: number), position)
        return false
    }

    /// Whether what precedes an unbounded gap ends anywhere up to `position` minus `least`.
    mutating func backwardAnywhere(
        _ number: Int, _ position: Int, _ least: Int, _ job: Job, _ depth: Int
    ) -> Bool {
        guard number > job.first else {
            matchStart = position - least
            return job.starts.lowerBound <= position - least
        }
        guard depth < Self.depthLimit else {
            stop(.limit)
            return false
        }
        let key = UInt32(truncatingIfNeeded: number) & ~(1 << 31)
        // Ends up to here are known to fail.
        var known = scratch.note(key) ?? -1
        let mark = landmark(before: number, job)
        var end = position - least
        let furthest = end
        while end >= 0, end > known {
            if let mark {
                let beyond = mark.distance + Int(mark.literal.b)
                guard let hit = findLast(mark.literal, from: end - beyond, above: known - beyond, job) else { break }
                end = hit + beyond
            } else if !spend(1) {
                return false
            }
            if backward(number, end, job, depth + 1) { return true }
            guard goOn else { return false }
            end -= 1
            known = max(known, scratch.note(key) ?? known)
        }
        guard goOn else { return false }
        scratch.setNote(key, max(known, furthest))
        return false
    }
}
