import CModuleABI
import ModuleKit

/// One object on the way from the root to where the walk is.
struct Frame {
    enum Stage {
        case identify, match, retype, open, next
        /// The index of the analysis that is called next.
        case enter(Int), leave(Int)
    }

    var object: em_object
    var stage = Stage.identify
    /// Who unpacks it, if anybody can.
    var container: Container?
    var cursor: Cursor?
    /// Children that were submitted and not walked yet, the first one last.
    var pending: [em_object] = []
    /// The cursor has no more children than the pending ones.
    var isExhausted = false
    /// What signatures say that the object is besides its type: EM_TYPE_…, as which it is looked at once more.
    var otherTypes: [UInt32] = []
    /// It is its parent once more, as another type.
    var isRetyped = false
    /// What conditions of signatures call its type, once one of its children was asked about.
    var containerType: UInt32?
    /// What `release` goes back to when the object is done, and before the next child is unpacked.
    let mark: UInt64
    var childMark: UInt64 = 0
    /// The object where the container may keep its address until its cursor is closed.
    private var kept: KeptObject?

    init(object: em_object, mark: UInt64) {
        self.object = object
        self.mark = mark
    }

    /// A copy of the object that does not move while its cursor is open.
    mutating func addressableObject() -> UnsafePointer<em_object> {
        let copy = KeptObject(object)
        kept = copy
        return UnsafePointer(copy.pointer)
    }

    /// No more `next`; the data of pending children stays until `closeCursor`.
    mutating func cursorIsDone() {
        cursor?.isDone = true
    }

    func closeCursor() {
        cursor?.close()
    }
}

/// An em_object at a fixed address.
final class KeptObject {
    let pointer: UnsafeMutablePointer<em_object>

    init(_ object: em_object) {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: object)
    }

    deinit {
        pointer.deallocate()
    }
}
