package import BytesE
import CModuleABI

/// Opens any bytes as em003 would, and traps when it breaks the rules of the ABI. For fuzzing and replay tests.
package func fuzzArchive(_ bytes: ByteView) {
    let host = TrialHost(memory: 4 << 20)
    host.mostObjects = 1_000
    host.agent = "smtp"
    let status = host.unpack(bytes)
    precondition(status == EM_END || status == EM_E_UNSUPPORTED || status == EM_E_MEMORY || status == EM_E_CANCELLED)
    for child in host.children where child.flags & EM_OBJECT_IN_PLACE != 0 {
        // What lies in place lies where it is said to.
        precondition(child.offset <= UInt64(bytes.count) && child.extent <= UInt64(bytes.count) - child.offset)
        precondition(child.extent == UInt64(child.data.count))
        let from = Int(child.offset)
        precondition(child.data.withUnsafeBufferPointer { ByteView($0).equals(bytes.slice(from, from + $0.count)) })
    }
}
