import BytesE
import CModuleABI
import CSearch
import Regex

/// Looks for the matches of one regular expression in an object, one after another.
///
/// PCRE2 looks at each byte by itself; where the database has a sieve of four bytes that matches begin with, it is asked only
/// about places that pass.
struct ExpressionSearch {
    private let expression: Regex
    private let subject: ByteView
    /// EM_SIEVE_SIZE bytes, or none.
    private let sieve: ByteView
    private let check: () -> Bool
    /// Times that PCRE2 was asked.
    private var asked = 0
    /// PCRE2 gave up at a place: then nothing behind it is looked for, as it would not have been without a sieve.
    private var isOver = false
    /// Room for the places of a chunk, and what of it is filled and was looked at.
    private let places: UnsafeMutablePointer<Int>
    private var count = 0
    private var index = 0
    /// Places below were sifted.
    private var sifted = 0
    /// Whether the scan ended before the search.
    private(set) var isCancelled = false

    private static let chunk = Int(CSEARCH_CHUNK)
    /// Chunks between two checks.
    private static let chunksBetweenChecks = 64
    private static let questionsBetweenChecks = 64

    /// - Parameters:
    ///   - expression: anchored when there is a sieve.
    ///   - scratch: lends room for places until the search ends.
    init(_ expression: Regex, in subject: ByteView, sieve: ByteView, scratch: Scratch, check: @escaping () -> Bool) {
        self.expression = expression
        self.subject = subject
        self.sieve = sieve
        self.check = check
        places = scratch.proposals
    }

    /// The next match that begins at `from`, which never goes back, or behind.
    mutating func next(from: Int) -> Range<Int>? {
        guard !sieve.isEmpty else { return found(from: from) }
        while !isOver, let place = nextPlace(from: from) {
            if let match = found(from: place) { return match }
        }
        return nil
    }

    private mutating func found(from: Int) -> Range<Int>? {
        asked += 1
        if asked % Self.questionsBetweenChecks == 0, !check() {
            isCancelled = true
            isOver = true
            return nil
        }
        switch expression.search(subject, from: from) {
        case .match(let range): return range
        case .none: return nil
        case .limit:
            isOver = true
            return nil
        }
    }

    /// The next place that passes the sieve.
    private mutating func nextPlace(from: Int) -> Int? {
        while true {
            while index < count {
                index += 1
                if places[index - 1] >= from { return places[index - 1] }
            }
            guard sift(from: from) else { return nil }
        }
    }

    /// Sifts the next chunk; false behind the last place where four bytes are left.
    private mutating func sift(from: Int) -> Bool {
        sifted = max(sifted, from)
        guard let bytes = subject.base, let sieve = sieve.base, sifted + 4 <= subject.count else { return false }
        if sifted / Self.chunk % Self.chunksBetweenChecks == Self.chunksBetweenChecks - 1, !check() {
            isCancelled = true
            return false
        }
        let end = min(sifted + Self.chunk, subject.count - 3)
        count = CSearch_sift(bytes, subject.count, sifted, end, sieve, places)
        index = 0
        sifted = end
        return true
    }
}
