package import BytesE
import CModuleABI
import Unpacking

/// Opens any bytes as em003 would, and traps when it breaks the rules of the ABI. For fuzzing and replay tests.
package func fuzzArchive(_ bytes: ByteView) {
    let host = TrialHost(memory: 4 << 20)
    host.mostObjects = 1_000
    host.agent = "smtp"
    expectPromises(host, bytes, host.unpack(bytes))
}

/// Opens any bytes as one format, whether or not they look like it, and traps likewise: an extractor must not rely on
/// what its identification saw.
///
/// - Parameters:
///   - format: a name of the registry, e.g. "ZIP".
///   - input: the bytes, and behind them perhaps the scan's limits, names and passwords: see `TrialConditions`.
package func fuzzExtractor(_ format: ByteView, _ input: ByteView) {
    guard let conditions = TrialConditions(endOf: input) else {
        let host = TrialHost(memory: 4 << 20)
        host.mostObjects = 1_000
        return expectPromises(host, input, host.unpack(input, as: format))
    }
    let host = conditions.host()
    conditions.bytes.withUnsafeBufferPointer { buffer in
        let bytes = ByteView(buffer)
        let status = host.unpack(bytes, as: format, name: conditions.name, declared: conditions.declared)
        expectPromises(host, bytes, status)
    }
}

/// The names of the registry.
package func extractorNames() -> [[UInt8]] {
    var names: [[UInt8]] = []
    forEachExtractor { names.append(ByteView($0.name).array) }
    return names
}

/// Whether the registry has a format of this name.
package func isExtractor(_ name: ByteView) -> Bool {
    extractor(named: name) != nil
}

/// The format that has this name.
func extractor(named name: ByteView) -> Extractor? {
    var found: Extractor?
    forEachExtractor { extractor in
        if ByteView(extractor.name).equals(name) { found = extractor }
    }
    return found
}

private func expectPromises(_ host: TrialHost, _ bytes: ByteView, _ status: em_status) {
    precondition(
        status == EM_END || status == EM_E_UNSUPPORTED || status == EM_E_MEMORY || status == EM_E_CANCELLED
            || status == EM_E_LIMIT)
    for child in host.children where child.flags & EM_OBJECT_IN_PLACE != 0 {
        // What lies in place lies where it is said to.
        precondition(child.offset <= UInt64(bytes.count) && child.extent <= UInt64(bytes.count) - child.offset)
        precondition(child.extent == UInt64(child.data.count))
        let from = Int(child.offset)
        precondition(child.data.withUnsafeBufferPointer { ByteView($0).equals(bytes.slice(from, from + $0.count)) })
    }
}
