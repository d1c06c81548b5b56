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

/// Reads any bytes as a script of changes, packed and plain, and applies it to a small file. For fuzzing and replay tests.
package func fuzzChanges(_ bytes: ByteView) {
    if let file = try? ChangeFile(bytes) {
        try? file.verify(level: 220)
        if let script = try? file.script() {
            precondition(script.count <= bytes.count * 1_100)
            script.withUnsafeBufferPointer { fuzzScript(ByteView($0)) }
        }
    }
    fuzzScript(bytes)
}

private func fuzzScript(_ text: ByteView) {
    guard let script = try? ChangeScript(text) else { return }
    let old: StaticString = "a:1\nb:2\nc:3\nd:4\n"
    for step in script.steps {
        switch step {
        case .edit(let edit):
            var made = 0
            // Every byte of the script comes out once at most, and so does every byte of the file.
            try? edit.apply(to: ByteView(old)) { piece in
                made += piece.count
                precondition(made <= text.count + 16)
            }
        case .move(let move):
            guard let range = try? move.range(in: ByteView(old)) else { continue }
            precondition(range.lowerBound < range.upperBound && range.upperBound <= 16)
        case .remove(let name): precondition(!name.isEmpty && !name.contains("/"))
        }
    }
}
