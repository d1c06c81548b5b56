package import BytesE
package import CModuleABI
public import ModuleKit

/// The base of all extractors: one container that is being opened.
open class Unpacker {
    package let scan: ScanContext
    /// The container; it stays where it is as long as the unpacker lives.
    package let object: UnsafePointer<em_object>
    package let data: ByteView
    /// `EM_OBJECT_…` of the container that were found so far; told to the host at the end.
    package private(set) var flags: UInt32 = 0
    /// How children lay in the container, e.g. "ZIP".
    package let format: StaticString
    /// Number of the last child.
    private var position: UInt32 = 0
    /// The id of the last child.
    package private(set) var newest: UInt64 = 0
    /// The notes of the scan, when this one made them.
    private var ownNotes: ScanNotes?

    package init(_ scan: ScanContext, _ object: UnsafePointer<em_object>, format: StaticString) {
        self.scan = scan
        self.object = object
        self.data = ByteView(object.pointee.data)
        self.format = format
        guard object.pointee.depth == 0, scan.notes == nil else { return }
        let notes = ScanNotes()
        guard scan.services.openScans.insert(Unmanaged.passUnretained(notes).toOpaque(), for: scan.handle) else {
            return
        }
        ownNotes = notes
    }

    deinit {
        if ownNotes != nil { scan.services.openScans.remove(scan.handle) }
    }

    /// Submits the next child, or a few; false when there are no more.
    open func next() throws(ModuleError) -> Bool { false }

    /// Notes what the container is: one or several of EM_OBJECT_TRUNCATED and its kin.
    package final func found(_ more: UInt32) {
        let new = more & ~flags
        if new != 0 { scan.mark(object.pointee.id, flags: new) }
        flags |= more
    }

    /// Tells that a limit left something of the container out.
    package final func overLimit(_ kind: UInt32) {
        found(EM_OBJECT_OVER_LIMIT)
        scan.exceeded(kind, object)
    }

    /// Whether the host would take another child; when not, that is told and the unpacking should end.
    package final func mayHaveChildren() -> Bool {
        for kind in [EM_BUDGET_DEPTH, EM_BUDGET_OBJECTS] where scan.left(kind, for: object) == 0 {
            overLimit(kind)
            return false
        }
        return true
    }

    /// One child to submit.
    package struct Child {
        package var data = ByteView()
        package var name = ByteView()
        package var declared = ByteView()
        package var type = EM_TYPE_UNKNOWN
        /// Where it lies in the container, packed.
        package var offset: UInt64 = .max
        package var extent: UInt64 = 0
        package var flags: UInt32 = 0
        /// What the container states about sizes, in bytes; nil: as they were found.
        package var packedSize: UInt64?
        package var statedSize: UInt64?
        /// The CRC-32 that the container states.
        package var crc32: UInt32?
        /// Its number in the container, from 1; nil: one more than that of the child before.
        package var position: UInt32?

        package init() {}
    }

    /// What stands unencoded at a place of the container, as far as the container goes.
    package final func part(_ place: Range<Int>) -> Child {
        var child = Child()
        child.data = data.slice(place.lowerBound, place.upperBound)
        child.offset = UInt64(min(place.lowerBound, data.count))
        child.extent = UInt64(child.data.count)
        child.flags = EM_OBJECT_IN_PLACE | (child.data.count < place.count ? EM_OBJECT_TRUNCATED : 0)
        return child
    }

    /// Submits a child. A refusal by a limit is noted by the host and is no error here.
    package final func submit(_ child: Child) throws(ModuleError) {
        var raw = em_object()
        raw.data = child.data.slice
        raw.name = child.name.slice
        raw.declared = child.declared.slice
        raw.type = child.type
        raw.format = slice(format)
        raw.offset = child.offset
        raw.extent = child.extent
        raw.flags = child.flags
        raw.packed_size = child.packedSize ?? (child.extent > 0 ? child.extent : UInt64(child.data.count))
        raw.stated_size = child.statedSize ?? UInt64(child.data.count)
        position = child.position ?? position &+ 1
        raw.position = position
        if let crc32 = child.crc32 {
            raw.crc32 = crc32
            raw.stated = EM_STATED_CRC32
        }
        do throws(ModuleError) {
            try scan.submit(&raw, of: object)
            newest = raw.id
        } catch {
            guard error.status == EM_E_LIMIT else { throw error }
        }
    }

    /// The result of an output as a child's data; what a limit cut off is told.
    package final func close(_ output: inout Output, _ child: inout Child) throws(ModuleError) {
        child.data = try output.finish()
        if output.stoppedBy != 0 {
            child.flags |= EM_OBJECT_OVER_LIMIT
            scan.exceeded(output.stoppedBy, object)
        }
    }

    /// Notes how the unpacking of a child ended.
    package final func note(_ end: InflateEnd, _ child: inout Child) {
        if end == .truncated { child.flags |= EM_OBJECT_TRUNCATED }
        if end == .damaged { child.flags |= EM_OBJECT_MALFORMED }
    }

    /// Lends an array's bytes; they are copied by the host during the call.
    package final func submit(_ child: Child, name: [UInt8], declared: [UInt8] = []) throws(ModuleError) {
        var child = child
        var failure: ModuleError?
        name.withUnsafeBufferPointer { nameBytes in
            declared.withUnsafeBufferPointer { declaredBytes in
                child.name = ByteView(nameBytes)
                child.declared = ByteView(declaredBytes)
                do throws(ModuleError) { try submit(child) } catch { failure = error }
            }
        }
        if let failure { throw failure }
    }
}
