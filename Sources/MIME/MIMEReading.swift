/// Which of the plausible readings of a broken message to take.
///
/// Mail clients disagree about broken messages. The default reading is the commonest one; while walking, the
/// walker notes in `MIMEWalker.ambiguities` where another is plausible, and `MIMEReading.all(for:)` lists
/// what else to try. A scanner tries them all; a program that shows or rewrites mail takes the default.
package struct MIMEReading: Sendable, Equatable {
    /// Which one to take where a header or a parameter is given several times: 0 = the first.
    package var candidate: Int
    /// Takes the other view of CR without LF: it ends a line by default only where the first line ends so.
    package var flipsBareCR: Bool
    /// A line that only begins with "--boundary" is a delimiter too.
    package var prefixBoundaries: Bool
    /// A line without a colon, or of spaces only, ends the header whatever follows.
    package var junkEndsHeader: Bool
    /// Lines without a colon never end the header: only an empty line does. (By default one such line is passed over.)
    package var passesOverJunk: Bool

    package init(
        candidate: Int = 0, flipsBareCR: Bool = false, prefixBoundaries: Bool = false, junkEndsHeader: Bool = false,
        passesOverJunk: Bool = false
    ) {
        self.candidate = candidate
        self.flipsBareCR = flipsBareCR
        self.prefixBoundaries = prefixBoundaries
        self.junkEndsHeader = junkEndsHeader
        self.passesOverJunk = passesOverJunk
    }

    /// The readings beside the default one that a message with these ambiguities deserves: each deviation
    /// alone, and all together. At most ten.
    package static func all(for found: MIMEAmbiguities) -> [MIMEReading] {
        var result: [MIMEReading] = []
        for candidate in 1..<max(2, found.candidates) where candidate < found.candidates {
            result.append(MIMEReading(candidate: candidate))
        }
        var flags = 0
        if found.bareCR {
            result.append(MIMEReading(flipsBareCR: true))
            flags += 1
        }
        if found.prefixBoundary {
            result.append(MIMEReading(prefixBoundaries: true))
            flags += 1
        }
        if found.junkInHeader {
            result.append(MIMEReading(junkEndsHeader: true))
            result.append(MIMEReading(passesOverJunk: true))
            flags += 1
        }
        var together = MIMEReading(
            flipsBareCR: found.bareCR, prefixBoundaries: found.prefixBoundary, junkEndsHeader: found.junkInHeader)
        if flags > 1 { result.append(together) }
        if flags > 0, found.candidates > 1 {
            together.candidate = found.candidates - 1
            result.append(together)
        }
        return result
    }
}

/// Where a message could be read in more than one way.
package struct MIMEAmbiguities: Sendable, Equatable {
    /// Most values that were given for one thing; 1 = nothing was given twice. At most `mostCandidates`.
    package var candidates = 1
    package var bareCR = false
    package var prefixBoundary = false
    package var junkInHeader = false

    /// Values beyond this many for one thing are ignored.
    package static let mostCandidates = 4

    package init() {}

    /// Whether there is only one reading.
    package var isEmpty: Bool { candidates <= 1 && !bareCR && !prefixBoundary && !junkInHeader }

    mutating func note(candidates count: Int) {
        candidates = max(candidates, min(count, Self.mostCandidates))
    }
}

/// What is wrong with a message.
package struct MIMEDefects: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The header was not ended by an empty line.
    package static let missingBlankLine = MIMEDefects(rawValue: 1)
    /// A multipart was not closed by its final boundary.
    package static let missingFinalBoundary = MIMEDefects(rawValue: 2)
    /// A multipart names no boundary; it was guessed.
    package static let missingBoundary = MIMEDefects(rawValue: 4)
    /// A header that decides about the structure was there more than once.
    package static let duplicateHeader = MIMEDefects(rawValue: 8)
    /// Lines in a header that are no header.
    package static let junkInHeader = MIMEDefects(rawValue: 16)
    /// Multiparts nested deeper than the limit were not walked: part of the content was left out.
    package static let tooDeep = MIMEDefects(rawValue: 32)
    /// A header value longer than the limit was read only in part.
    package static let headerTooLong = MIMEDefects(rawValue: 64)
}
