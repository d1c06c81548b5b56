/// Which of the plausible readings of a broken message to take.
///
/// Mail clients disagree about broken messages. The default reading is the commonest one; while walking, the
/// walker notes in `MIMEWalker.ambiguities` where another is plausible, and `MIMEReading.all(for:)` lists
/// what else to try. A scanner tries them all; a program that shows or rewrites mail takes the default.
package struct MIMEReading: Sendable, Equatable {
    /// Which one to take where a header is given several times: 0 = the first.
    package var header: Int
    /// Which value of a boundary to take where there are several: 0 = the likeliest.
    package var boundary: Int
    /// Takes the other view of CR without LF: it ends a line by default only where the first line ends so.
    package var flipsBareCR: Bool
    /// A line that only begins with "--boundary" is a delimiter too.
    package var prefixBoundaries: Bool
    /// A line without a colon, or of spaces only, ends the header whatever follows.
    package var junkEndsHeader: Bool
    /// Lines without a colon never end the header: only an empty line does. (By default one such line is passed over.)
    package var passesOverJunk: Bool

    package init(
        header: Int = 0, boundary: Int = 0, flipsBareCR: Bool = false, prefixBoundaries: Bool = false,
        junkEndsHeader: Bool = false, passesOverJunk: Bool = false
    ) {
        self.header = header
        self.boundary = boundary
        self.flipsBareCR = flipsBareCR
        self.prefixBoundaries = prefixBoundaries
        self.junkEndsHeader = junkEndsHeader
        self.passesOverJunk = passesOverJunk
    }

    /// How many readings a message gets beside the default one.
    package static let most = 64

    /// In how many ways it differs from the default reading.
    private var deviations: Int {
        (header > 0 ? 1 : 0) + (boundary > 0 ? 1 : 0) + (flipsBareCR ? 1 : 0) + (prefixBoundaries ? 1 : 0)
            + (junkEndsHeader || passesOverJunk ? 1 : 0)
    }

    /// The readings beside the default one that a message with these ambiguities deserves, those that differ least
    /// from it first. A mail program has one way with each ambiguity, whatever it does with the others; so every
    /// combination is plausible. May be more than `most`.
    package static func all(for found: MIMEAmbiguities) -> [MIMEReading] {
        var result: [[MIMEReading]] = [[], [], [], [], [], []]
        for header in 0..<max(1, found.headers) {
            for boundary in 0..<max(1, found.boundaries) {
                for flips in found.bareCR ? [false, true] : [false] {
                    for prefix in found.prefixBoundary ? [false, true] : [false] {
                        for junk in 0..<(found.junkInHeader ? 3 : 1) {
                            let reading = MIMEReading(
                                header: header, boundary: boundary, flipsBareCR: flips, prefixBoundaries: prefix,
                                junkEndsHeader: junk == 1, passesOverJunk: junk == 2)
                            result[reading.deviations].append(reading)
                        }
                    }
                }
            }
        }
        return result[1] + result[2] + result[3] + result[4] + result[5]
    }
}

/// The readings of one message that are still to be tried. Another reading may show ambiguities that the default one
/// does not.
package struct MIMEReadings {
    private var known = MIMEAmbiguities()
    private var tried: [MIMEReading] = []
    /// Whether plausible readings were left out because there were too many.
    package private(set) var isCut = false

    package init() {}

    /// The next one; nil when there is none left.
    /// - Parameter found: what the walk with the last one met.
    package mutating func next(after found: MIMEAmbiguities) -> MIMEReading? {
        known.add(found)
        for reading in MIMEReading.all(for: known) where !tried.contains(reading) {
            guard tried.count < MIMEReading.most else {
                isCut = true
                return nil
            }
            tried.append(reading)
            return reading
        }
        return nil
    }
}

/// Where a message could be read in more than one way.
package struct MIMEAmbiguities: Sendable, Equatable {
    /// Most values that were given for one header; 1 = none was given twice. At most `mostHeaders`.
    package var headers = 1
    /// Most values that one boundary may have. At most `mostBoundaries`.
    package var boundaries = 1
    package var bareCR = false
    package var prefixBoundary = false
    package var junkInHeader = false
    /// A NUL stands in a name or boundary that decides about the structure: some programs drop it.
    package var hiddenByNUL = false

    /// Of more values for one header the first ones and the last count.
    package static let mostHeaders = 4
    /// Of more values of one boundary the first ones and the last count, and whether it is empty.
    package static let mostBoundaries = 6

    package init() {}

    /// Whether there is only one reading.
    package var isEmpty: Bool { self == MIMEAmbiguities() }

    mutating func note(headers count: Int) { headers = max(headers, min(count, Self.mostHeaders)) }

    mutating func note(boundaries count: Int) { boundaries = max(boundaries, min(count, Self.mostBoundaries)) }

    mutating func add(_ other: MIMEAmbiguities) {
        note(headers: other.headers)
        note(boundaries: other.boundaries)
        if other.bareCR { bareCR = true }
        if other.prefixBoundary { prefixBoundary = true }
        if other.junkInHeader { junkInHeader = true }
        if other.hiddenByNUL { hiddenByNUL = true }
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
