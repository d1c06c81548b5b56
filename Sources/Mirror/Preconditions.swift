package import Bytes

/// The conditional fields of a GET or HEAD request (RFC 9110 §13); empty = missing.
package struct Preconditions {
    package var ifMatch = ByteView()
    package var ifNoneMatch = ByteView()
    package var ifModifiedSince = ByteView()
    package var ifUnmodifiedSince = ByteView()
    package var ifRange = ByteView()
    package var range = ByteView()

    package init() {}

    /// What is to be sent.
    package enum Outcome: Equatable {
        case whole
        case part(first: UInt64, count: UInt64)
        /// 304
        case notModified
        /// 412
        case failed
        /// 416
        case unsatisfiable
    }

    /// No field that could change what is sent.
    var areAbsent: Bool {
        ifMatch.base == nil && ifNoneMatch.base == nil && ifModifiedSince.base == nil && ifUnmodifiedSince.base == nil
            && range.base == nil
    }

    /// Evaluates the fields in the order of §13.2.2.
    ///
    /// - Parameters:
    ///   - tag: of the representation that would be sent.
    ///   - modified: its Last-Modified, in seconds since 1970.
    ///   - size: its bytes.
    ///   - now: seconds since 1970.
    package func outcome(tag: EntityTag, modified: Int64, size: UInt64, now: Int64) -> Outcome {
        if !ifMatch.isEmpty {
            guard tag.isNamed(in: ifMatch, strongly: true) else { return .failed }
        } else if !ifUnmodifiedSince.isEmpty, let date = HTTPDate.seconds(ifUnmodifiedSince, now: now), modified > date
        {
            return .failed
        }
        if !ifNoneMatch.isEmpty {
            if tag.isNamed(in: ifNoneMatch, strongly: false) { return .notModified }
        } else if !ifModifiedSince.isEmpty, let date = HTTPDate.seconds(ifModifiedSince, now: now), modified <= date {
            return .notModified
        }
        guard !range.isEmpty, mayContinue(tag, modified, now) else { return .whole }
        switch ByteRange(range, size: size) {
        case .whole: return .whole
        case .part(let first, let count): return .part(first: first, count: count)
        case .unsatisfiable: return .unsatisfiable
        }
    }

    /// Whether a client that has the beginning of the representation named in If-Range may get the rest of this one
    /// (§13.1.5): only for a strong tag, or the same date.
    private func mayContinue(_ tag: EntityTag, _ modified: Int64, _ now: Int64) -> Bool {
        guard !ifRange.isEmpty else { return true }
        var rest = trimmed(ifRange)
        if let named = EntityTag.take(&rest) {
            return rest.isEmpty && !named.isWeak && !tag.isWeak && named.opaque == tag.opaque
        }
        // A file that is still fresh may change once more within the second of its date.
        return !tag.isWeak && HTTPDate.seconds(ifRange, now: now) == modified
    }
}
