import BytesE
import CModuleABI
import ModuleKit

/// One walk over one object tree: depth first, on a stack of its own, so that it can stop at any step
/// (a suspended scan) and holds only the memory of one path from the root.
///
/// For each object: identify, match, analyse (enter), unpack its children one after another, analyse (leave).
final class Session {
    private let scanner: Scanner
    private let scan: ScanContext
    private let containers: [Container]
    private var analyses: [Analysis] = []
    private var frames: [Frame] = []
    private let matcher: ObjectMatcher
    private let unpacksArchives: Bool
    private var isOpen = true

    init(_ scanner: Scanner, _ scan: ScanContext, root: em_object) {
        self.scanner = scanner
        self.scan = scan
        containers = scanner.containers()
        unpacksArchives = scan.number("av_scan_obj_archives", otherwise: 1) != 0
        matcher = ObjectMatcher(scanner, scan)
        analyses = scanner.analyses(scan, root.id)
        frames.append(Frame(object: root, mark: scan.services.memory.pointee.mark(scan.handle)))
    }

    /// Goes on until the tree is done (EM_OK), answers are missing (EM_SUSPENDED) or the scan must end.
    func run() -> em_status {
        while let top = frames.indices.last {
            do throws(ModuleError) {
                guard try step(top) else { return EM_SUSPENDED }
            } catch {
                // What a limit stopped was noted where it happened; the scan ends only when it is cancelled.
                return error.status
            }
        }
        return EM_OK
    }

    /// Ends everything that is under way.
    func close() {
        guard isOpen else { return }
        isOpen = false
        while let frame = frames.popLast() { frame.closeCursor() }
        for analysis in analyses { analysis.end() }
        analyses = []
    }

    /// One step of the topmost object; false when the scan is suspended.
    private func step(_ top: Int) throws(ModuleError) -> Bool {
        try scan.check()
        switch frames[top].stage {
        case .identify:
            identify(top)
            frames[top].stage = .match
        case .match:
            try matcher.match(frames[top].object, in: parents(top), again: frames[top].isRetyped)
            if !frames[top].isRetyped, matcher.wantsMore { frames[top].otherTypes = matcher.otherTypes }
            frames[top].stage = .retype
        case .retype:
            retype(top)
        case .enter(let index):
            guard try analyse(top, index, EM_PHASE_ENTER) else { return false }
            frames[top].stage = index + 1 < analyses.count ? .enter(index + 1) : .open
        case .open:
            open(top)
        case .next:
            return try next(top)
        case .leave(let index):
            frames[top].closeCursor()
            guard try analyse(top, index, EM_PHASE_LEAVE) else { return false }
            if index + 1 < analyses.count { frames[top].stage = .leave(index + 1) } else { pop() }
        }
        return true
    }

    /// What an object lies in, the nearest one first, with the numbers of their types.
    private func parents(_ top: Int) -> [(object: em_object, type: UInt32)] {
        var result: [(object: em_object, type: UInt32)] = []
        for index in stride(from: top - 1, through: 0, by: -1) {
            let parent = frames[index].object
            let type =
                frames[index].containerType
                ?? containerType(of: parent, format: ByteView(frames[index + 1].object.format))
            frames[index].containerType = type
            result.append((parent, type))
        }
        return result
    }

    /// Finds the container that is surest about the object, and the object's type.
    private func identify(_ top: Int) {
        var best: UInt32 = 0
        var type = contentType(of: ByteView(frames[top].object.data))
        for container in containers {
            var claimed = EM_TYPE_UNKNOWN
            let sureness = container.identify(scan, &frames[top].object, &claimed)
            if sureness > best {
                best = sureness
                frames[top].container = container
                if claimed != EM_TYPE_UNKNOWN { type = claimed }
            }
        }
        if best == 0, let named = matcher.fileType(of: frames[top].object, otherwise: type) { type = named }
        frames[top].object.type = type
        // An archive that nobody can open was not scanned, whatever its raw bytes look like.
        let isClosed = isArchive(type) && frames[top].container == nil && unpacksArchives
        scan.mark(frames[top].object.id, type: type, flags: isClosed ? EM_OBJECT_UNSUPPORTED : 0)
    }

    /// Makes the object the topmost once more, as the next type that signatures say it is, if there is one.
    ///
    /// As in ClamAV it then lies in itself, so that rules may ask for that; and nothing is retyped twice.
    private func retype(_ top: Int) {
        guard let type = frames[top].otherTypes.popLast() else {
            frames[top].stage = .enter(0)
            return
        }
        guard type != frames[top].object.type else { return }
        var again = Frame(object: frames[top].object, mark: scan.services.memory.pointee.mark(scan.handle))
        again.object.type = type
        again.isRetyped = true
        again.stage = .match
        if frames[top].container == nil {
            var best: UInt32 = 0
            for container in containers {
                var claimed = EM_TYPE_UNKNOWN
                let sureness = container.identify(scan, &again.object, &claimed)
                if sureness > best {
                    best = sureness
                    again.container = container
                }
            }
        }
        frames.append(again)
    }

    private func isArchive(_ type: UInt32) -> Bool {
        type == EM_TYPE_ARCHIVE || type == EM_TYPE_GZIP || type == EM_TYPE_TAR
    }

    /// Calls one analysis; false when it suspends. What fails in it makes the object "not scanned".
    private func analyse(_ top: Int, _ index: Int, _ phase: UInt32) throws(ModuleError) -> Bool {
        // As another type, an object is no other object.
        guard index < analyses.count, !frames[top].isRetyped else { return true }
        var object = frames[top].object
        let status: em_status
        if top > 0 {
            var parent = frames[top - 1].object
            status = analyses[index].object(&object, &parent, phase)
        } else {
            status = analyses[index].object(&object, nil, phase)
        }
        if status == EM_SUSPENDED { return false }
        if status == EM_E_CANCELLED { throw .cancelled }
        if status == EM_E_LIMIT { scan.mark(frames[top].object.id, flags: EM_OBJECT_OVER_LIMIT) }
        if status < 0 && status != EM_E_LIMIT {
            scan.report(
                EM_FINDING_NOTSCANNED, object: frames[top].object.id, name: ByteView("error in an analysis module"))
        }
        return true
    }

    private func open(_ top: Int) {
        frames[top].stage = .leave(0)
        guard let container = frames[top].container else { return }
        switch container.open(scan, frames[top].addressableObject()) {
        case .cursor(let cursor):
            frames[top].cursor = cursor
            frames[top].childMark = scan.services.memory.pointee.mark(scan.handle)
            frames[top].stage = .next
        case .failed(let status):
            unpackingFailed(top, status)
        }
    }

    /// Takes the next child of the topmost object and makes it the topmost; false when suspended.
    private func next(_ top: Int) throws(ModuleError) -> Bool {
        if let child = frames[top].pending.popLast() {
            let mark = scan.services.memory.pointee.mark(scan.handle)
            frames.append(Frame(object: child, mark: mark))
            return true
        }
        guard let cursor = frames[top].cursor else {
            frames[top].stage = .leave(0)
            return true
        }
        scan.services.memory.pointee.release(scan.handle, frames[top].childMark)
        let status = cursor.next()
        var child = em_object()
        child.struct_size = UInt32(MemoryLayout<em_object>.size)
        while scan.services.submit.pointee.take(scan.handle, &child) == EM_OK {
            frames[top].pending.append(child)
        }
        frames[top].pending.reverse()
        switch status {
        case EM_OK: break
        case EM_SUSPENDED: return false
        case EM_E_CANCELLED: throw .cancelled
        default:
            if status < 0 { unpackingFailed(top, status) }
            frames[top].isExhausted = true
        }
        if frames[top].isExhausted && frames[top].pending.isEmpty { frames[top].stage = .leave(0) }
        if frames[top].isExhausted { frames[top].cursorIsDone() }
        return true
    }

    /// What stops a container is told here, once more when the host knows of the limit: a failure never means clean.
    private func unpackingFailed(_ top: Int, _ status: em_status) {
        let reason: StaticString
        switch status {
        case EM_E_LIMIT: return scan.mark(frames[top].object.id, flags: EM_OBJECT_OVER_LIMIT)
        case EM_E_MEMORY:
            return scan.exceeded(EM_BUDGET_MEMORY, &frames[top].object)
        case EM_E_UNSUPPORTED: reason = "unsupported format variant"
        default: reason = "error in an archive module"
        }
        scan.report(EM_FINDING_NOTSCANNED, object: frames[top].object.id, name: ByteView(reason))
    }

    private func pop() {
        guard let frame = frames.popLast() else { return }
        frame.closeCursor()
        scan.services.memory.pointee.release(scan.handle, frame.mark)
    }
}
