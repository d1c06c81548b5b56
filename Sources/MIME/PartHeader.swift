#if MODULE_WORLD
    import BytesE
#else
    import Bytes
#endif

/// What a part's header says about its structure, by one reading.
struct PartHeader {
    /// Values seen for each header: no more than `MIMEAmbiguities.mostHeaders`, the first ones and the last.
    private var types: [Range<Int>] = []
    private var encodings: [Range<Int>] = []
    private var dispositions: [Range<Int>] = []

    /// Takes note of a field when it matters.
    mutating func note(_ field: HeaderField, in bytes: ByteView, _ defects: inout MIMEDefects) {
        // Most headers have another length: nothing is compared for them.
        switch field.name.count {
        case 12 where field.isNamed("content-type", in: bytes): add(field.value, &types, &defects)
        case 25 where field.isNamed("content-transfer-encoding", in: bytes): add(field.value, &encodings, &defects)
        case 19 where field.isNamed("content-disposition", in: bytes): add(field.value, &dispositions, &defects)
        default: break
        }
    }

    private func add(_ value: Range<Int>, _ list: inout [Range<Int>], _ defects: inout MIMEDefects) {
        if !list.isEmpty { defects.insert(.duplicateHeader) }
        if list.count == MIMEAmbiguities.mostHeaders { list.removeLast() }
        list.append(value)
    }

    /// The part as the header describes it; `kind` is `.multipart` or `.leaf`.
    func part(
        in bytes: ByteView, reading: MIMEReading, isDigest: Bool, _ defects: inout MIMEDefects,
        _ ambiguities: inout MIMEAmbiguities
    ) -> MIMEPart {
        ambiguities.note(headers: max(types.count, encodings.count))
        func pick(_ list: [Range<Int>]) -> ByteView {
            guard let range = list.isEmpty ? nil : list[min(reading.header, list.count - 1)] else { return ByteView() }
            return bytes.slice(range.lowerBound, range.upperBound)
        }
        let type = HeaderParameters(pick(types))
        let disposition = HeaderParameters(pick(dispositions))
        if type.isCut || disposition.isCut { defects.insert(.headerTooLong) }
        let implied: StaticString = isDigest ? "message/rfc822" : "text/plain"
        var part = MIMEPart(
            kind: .leaf, depth: 0, header: 0..<0, body: 0..<0,
            mediaType: type.main.isEmpty ? ByteView(implied).array : type.main,
            encoding: TransferEncoding(headerValue: pick(encodings)),
            charset: type.values("charset").first ?? [], names: [], disposition: disposition.main, boundary: [],
            partCount: 0)
        addEncodings(in: bytes, &part)
        addNames(disposition.texts("filename"), &part)
        addNames(disposition.texts("name"), &part)
        addNames(type.texts("name"), &part)
        addNames(type.texts("filename"), &part)
        if part.isType("multipart/") || type.main == ByteView("multipart").array {
            part.kind = .multipart
            let boundaries = Boundaries(type, disposition)
            ambiguities.note(boundaries: boundaries.count)
            if !boundaries.isGiven { defects.insert(.missingBoundary) }
            part.boundary = boundaries.value(reading.boundary)
            part.hasEmptyBoundary = boundaries.isEmptyValue(reading.boundary)
        }
        return part
    }

    /// The encodings that other readers may take the part to have.
    private func addEncodings(in bytes: ByteView, _ part: inout MIMEPart) {
        for range in encodings {
            let value = bytes.slice(range.lowerBound, range.upperBound)
            var all = [TransferEncoding(headerValue: value)]
            if all[0] == .identity { all += TransferEncoding.suspected(in: value) }
            for encoding in all where encoding != part.encoding && !part.otherEncodings.contains(encoding) {
                part.otherEncodings.append(encoding)
            }
        }
    }

    private func addNames(_ names: [[UInt8]], _ part: inout MIMEPart) {
        for name in names where part.names.count < 8 && !part.names.contains(name) { part.names.append(name) }
    }

    /// RFC 2046 §5.1.1 allows 70 bytes; clients read longer ones.
    static let longestBoundary = 1000
}
