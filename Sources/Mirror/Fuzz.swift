package import Bytes

/// Reads any bytes as everything of a request that this library parses itself: a target, ranges, dates, tags,
/// encodings, credentials. Traps when a promise is broken. For fuzzing and replay tests.
///
/// The first two bytes choose a size; a line feed ends each field.
package func fuzzMirror(_ input: ByteView) {
    let size = UInt64(input.load(UInt16.self, at: 0) ?? 0)
    var rest = input.dropFirst(2)
    func field() -> ByteView {
        var end = 0
        while end < rest.count, rest[end] != 0x0A { end += 1 }
        defer { rest = rest.dropFirst(end + 1) }
        return rest.prefix(end)
    }
    fuzzTarget(field())
    var conditions = Preconditions()
    conditions.range = field()
    conditions.ifRange = field()
    conditions.ifNoneMatch = field()
    conditions.ifMatch = field()
    conditions.ifModifiedSince = field()
    conditions.ifUnmodifiedSince = field()
    fuzzRange(conditions.range, size)
    for isWeak in [false, true] {
        let tag = EntityTag(isWeak: isWeak, opaque: Array("6560a000-400".utf8))
        if case .part(let first, let count) = conditions.outcome(tag: tag, modified: 0, size: size, now: 0) {
            precondition(count > 0 && first < size && count <= size - first, "a part outside of the file")
        }
    }
    if let seconds = HTTPDate.seconds(conditions.ifModifiedSince, now: 1_700_000_000) {
        precondition(seconds >= 0, "a date before 1970")
        let text = Array(HTTPDate.text(seconds).utf8)
        let again = text.withUnsafeBufferPointer { HTTPDate.seconds(ByteView($0), now: 0) }
        precondition(again == seconds, "a date does not survive writing")
    }
    let encoding = field()
    _ = ContentCoding.acceptsGzip(encoding)
    _ = BasicCredentials.match(encoding, BasicCredentials.encode("user:password"))
    _ = FileKind(path: encoding.array)
    var line: [UInt8] = []
    AccessLog.quote(encoding, &line)
    precondition(line.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }, "a line can be forged")
}

private func fuzzTarget(_ target: ByteView) {
    guard let path = RequestTarget.path(target) else { return }
    precondition(
        !path.isEmpty && path.count <= RequestTarget.limit + RequestTarget.index.count, "a path of that length")
    for segment in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
        precondition(!segment.isEmpty && segment.first != UInt8(ascii: "."), "a segment that leads elsewhere")
        precondition(segment.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a control character")
    }
}

private func fuzzRange(_ field: ByteView, _ size: UInt64) {
    for size in [0, 1, size, .max] as [UInt64] {
        guard case .part(let first, let count) = ByteRange(field, size: size) else { continue }
        precondition(count > 0 && first < size && count <= size - first, "a range outside of the file")
    }
}
