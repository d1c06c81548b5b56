/// How often a token was seen in messages of each kind.
package struct TokenCounts: Sendable, Equatable {
    /// Messages, not occurrences.
    package var spam: UInt32
    package var ham: UInt32

    @inlinable package init(spam: UInt32, ham: UInt32) {
        self.spam = spam
        self.ham = ham
    }
}

/// Robinson's token probabilities, combined by Fisher's method (G. Robinson, "A Statistical Approach to the
/// Spam Problem", Linux Journal 107, 2003).
package struct Classifier: Sendable {
    /// Messages that were learned.
    package let learned: TokenCounts
    /// How many tokens decide: the most telling ones.
    static let deciding = 150
    /// Tokens nearer to even odds say nothing.
    static let leastDeviation = 0.1
    /// How much a token's own counts must outweigh the assumption of even odds.
    static let strength = 0.1
    private static let bins = 128

    package init(learned: TokenCounts) {
        self.learned = learned
    }

    /// The probability that a message is spam, or nil when nothing was learned or no token of it is telling.
    ///
    /// - Parameters:
    ///   - tokens: the message's tokens, each once.
    ///   - counts: what was learned about a token; zeros when it is unknown.
    /// - Returns: 0 to 1.
    package func probability(of tokens: [UInt64], counts: (UInt64) -> TokenCounts) -> Double? {
        guard learned.spam > 0, learned.ham > 0 else { return nil }
        var telling: [Double] = []
        var histogram = [Int](repeating: 0, count: Classifier.bins)
        for token in tokens {
            let seen = counts(token)
            guard seen.spam > 0 || seen.ham > 0 else { continue }
            let value = probability(seen)
            let bin = Classifier.bin(value)
            guard deviation(value) >= Classifier.leastDeviation else { continue }
            telling.append(value)
            histogram[bin] += 1
        }
        guard !telling.isEmpty else { return nil }
        var room = Classifier.deciding
        var lowest = Classifier.bins - 1
        while lowest > 0, histogram[lowest] < room {
            room -= histogram[lowest]
            lowest -= 1
        }
        var spam = LogProduct()
        var ham = LogProduct()
        for value in telling {
            let bin = Classifier.bin(value)
            if bin < lowest { continue }
            if bin == lowest {
                if room == 0 { continue }
                room -= 1
            }
            spam.multiply(1 - value)
            ham.multiply(value)
        }
        let isSpam = 1 - chiSquareTail(-2 * spam.logarithm, pairs: spam.count)
        let isHam = 1 - chiSquareTail(-2 * ham.logarithm, pairs: ham.count)
        return (1 + isSpam - isHam) / 2
    }

    private func deviation(_ value: Double) -> Double { value > 0.5 ? value - 0.5 : 0.5 - value }

    private static func bin(_ value: Double) -> Int {
        let distance = value > 0.5 ? value - 0.5 : 0.5 - value
        return min(bins - 1, Int(distance * 2 * Double(bins)))
    }

    /// Robinson's f(w): the token's spam probability, drawn towards even odds while it is rare.
    private func probability(_ seen: TokenCounts) -> Double {
        let spam = min(1, Double(seen.spam) / Double(learned.spam))
        let ham = min(1, Double(seen.ham) / Double(learned.ham))
        let raw = spam / (spam + ham)
        let count = Double(seen.spam) + Double(seen.ham)
        let value = (Classifier.strength * 0.5 + count * raw) / (Classifier.strength + count)
        return min(0.9999, max(0.0001, value))
    }
}

/// A product of many small factors, kept as a significand and an exponent so that it never underflows.
private struct LogProduct {
    var significand = 1.0
    var exponent = 0
    var count = 0

    mutating func multiply(_ factor: Double) {
        significand *= factor
        count += 1
        exponent += Int(significand.exponent)
        significand = significand.significand
    }

    var logarithm: Double { naturalLogarithm(significand) + Double(exponent) * 0.693_147_180_559_945_3 }
}
