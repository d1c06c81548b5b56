#if MODULE_WORLD
    import BytesE
#else
    import Bytes
#endif

/// The values that clients may take for the boundary of one multipart, the likeliest first.
struct Boundaries {
    /// Those that are given; the first ones and the last.
    private var given: [[UInt8]] = []
    /// It is also given as empty: then some take "--" alone for a delimiter, and others guess.
    private let hasEmpty: Bool

    private static let most = MIMEAmbiguities.mostBoundaries - 2

    init(_ type: HeaderParameters, _ disposition: HeaderParameters) {
        hasEmpty = type.hasEmpty("boundary")
        for value in type.values("boundary") { add(value) }
        // Some clients take it from wherever it stands.
        for value in disposition.values("boundary") { add(value) }
    }

    private mutating func add(_ value: [UInt8]) {
        // White space at its end gets lost on the way, so it never counts.
        var end = value.count
        while end > 0, value[end - 1] <= 0x20 { end -= 1 }
        let boundary = [UInt8](value[..<end])
        guard end > 0, end <= PartHeader.longestBoundary, !given.contains(boundary) else { return }
        if given.count == Self.most { given.removeLast() }
        given.append(boundary)
    }

    /// Whether there is one to go by.
    var isGiven: Bool { !given.isEmpty }

    /// Given ones; then, if it is empty, the guess, and the empty one. Without any it is guessed.
    var count: Int { max(1, given.count + (hasEmpty ? 2 : 0)) }

    /// The value with a number; empty when it is to be guessed, or is the empty one.
    func value(_ number: Int) -> [UInt8] {
        if number < given.count { return given[number] }
        return hasEmpty || given.isEmpty ? [] : given[given.count - 1]
    }

    /// Whether the value with a number is the empty one.
    func isEmptyValue(_ number: Int) -> Bool { hasEmpty && number > given.count }
}
