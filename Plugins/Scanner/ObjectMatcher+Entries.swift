import BytesE
import CModuleABI
import Matching
import ModuleKit

extension ObjectMatcher {
    /// Reports the signatures that an object matches by what its container says about it.
    ///
    /// - Parameter container: the object that it lies in, and what conditions call its type.
    func matchEntry(_ object: em_object, in container: em_object, type: UInt32) {
        guard let database = signatures, database.matchesEntries else { return }
        let facts = EntryFacts(
            container: type, containerSize: container.data.len, packedSize: object.packed_size,
            statedSize: object.stated_size, position: object.position,
            crc32: object.stated & EM_STATED_CRC32 != 0 ? object.crc32 : nil,
            isEncrypted: object.flags & EM_OBJECT_ENCRYPTED != 0, name: ByteView(object.name))
        let isWhole = database.matchEntry(facts) { tell($0, offset: 0, of: object) }
        if !isWhole { notScanned(object, "limit: work of a regular expression for names") }
    }
}
