package import Bytes

/// Reads any bytes as a container, of each kind, and as a detached signature. For fuzzing and replay tests.
package func fuzzCVD(_ bytes: ByteView) {
    for kind in [CVDContainer.Kind.cvd, .cld, .cud] {
        guard let container = try? CVDContainer(bytes, kind: kind) else { break }
        _ = try? container.verify(level: 200)
        var sink = CountingSink(limit: bytes.count * 1_100 + 4_096)
        _ = try? container.read(&sink)
    }
    if let store = CertificateStore() {
        _ = try? DetachedSignature(bytes).verify(ByteView("content"), by: store, level: 200)
    }
}

/// Checks that pieces of members come as promised.
private struct CountingSink: CVDMemberSink {
    /// gzip makes at most 1,032 bytes of one.
    let limit: Int
    private var left = 0
    private var total = 0
    private var isInside = false

    init(limit: Int) {
        self.limit = limit
    }

    mutating func begin(_ name: String, size: Int) throws(CVDError) {
        precondition(!isInside && size >= 0 && !name.isEmpty && !name.contains("/"))
        isInside = true
        left = size
    }

    mutating func append(_ bytes: ByteView) throws(CVDError) {
        precondition(isInside && bytes.count <= left)
        left -= bytes.count
        total += bytes.count
        precondition(total <= limit)
    }

    mutating func end() throws(CVDError) {
        precondition(isInside && left == 0)
        isInside = false
    }
}
