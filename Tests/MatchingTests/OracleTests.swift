import Matching
import Testing

/// Random patterns in random objects, compared with the plainest matcher there can be.
@Suite("Comparison with a plain matcher")
struct OracleTests {
    /// A part of a pattern, and how it is written.
    enum Part {
        case bytes([UInt8])
        case nibble(high: Bool, UInt8)
        case gap(Int, Int?)
        case choice([[UInt8]], negated: Bool)

        var text: String {
            switch self {
            case .bytes(let bytes): return hex(bytes)
            case .nibble(let high, let value):
                let digit = String(high ? value >> 4 : value & 15, radix: 16)
                return high ? digit + "?" : "?" + digit
            case .gap(let least, let most):
                if least == 0, most == nil { return "*" }
                if let most { return most == least ? "{\(least)}" : least == 0 ? "{-\(most)}" : "{\(least)-\(most)}" }
                return "{\(least)-}"
            case .choice(let list, let negated):
                return (negated ? "!" : "") + "(\(list.map(hex).joined(separator: "|")))"
            }
        }

        /// Where a match that begins at a place can end.
        func ends(_ object: [UInt8], _ at: Int) -> [Int] {
            switch self {
            case .bytes(let bytes): return object[at...].starts(with: bytes) ? [at + bytes.count] : []
            case .nibble(let high, let value):
                guard at < object.count else { return [] }
                return (high ? object[at] >> 4 == value >> 4 : object[at] & 15 == value & 15) ? [at + 1] : []
            case .gap(let least, let most):
                let last = min(object.count, most.map { at + $0 } ?? object.count)
                return at + least <= last ? Array((at + least)...last) : []
            case .choice(let list, let negated):
                if negated {
                    let length = list[0].count
                    guard at + length <= object.count else { return [] }
                    return list.contains { object[at...].starts(with: $0) } ? [] : [at + length]
                }
                return list.filter { object[at...].starts(with: $0) }.map { at + $0.count }
            }
        }
    }

    private func plainMatch(_ parts: [Part], _ object: [UInt8]) -> Bool {
        var places = Set(0...object.count)
        for part in parts {
            places = Set(places.flatMap { part.ends(object, $0) })
            if places.isEmpty { return false }
        }
        return true
    }

    private func randomBytes(_ count: Int, _ random: inout Deterministic) -> [UInt8] {
        (0..<count).map { _ in [0x61, 0x62, 0x63].randomElement(using: &random) ?? 0x61 }
    }

    private func randomPart(_ random: inout Deterministic) -> Part {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: return .bytes(randomBytes(Int.random(in: 1...3, using: &random), &random))
        case 4: return .nibble(high: Bool.random(using: &random), randomBytes(1, &random)[0])
        case 5: return .gap(0, nil)
        case 6:
            // A maximum of 0 is none.
            let least = Int.random(in: 0...3, using: &random)
            return .gap(
                least, Bool.random(using: &random) ? nil : max(1, least + Int.random(in: 0...3, using: &random)))
        case 7:
            let length = Int.random(in: 1...2, using: &random)
            return .choice((0..<2).map { _ in randomBytes(length, &random) }, negated: Bool.random(using: &random))
        default:
            let lengths = (0..<3).map { _ in Int.random(in: 1...3, using: &random) }
            return .choice(lengths.map { randomBytes($0, &random) }, negated: false)
        }
    }

    @Test("agrees on random patterns", arguments: 0..<8)
    func agrees(_ seed: Int) throws {
        var random = Deterministic(UInt64(seed) &* 977 &+ 3)
        let scratch = Scratch()
        var matched = 0
        for _ in 0..<150 {
            var parts = (0..<Int.random(in: 1...6, using: &random)).map { _ in randomPart(&random) }
            let anchor = randomBytes([2, 3, 4, 5, 7].randomElement(using: &random) ?? 2, &random)
            parts.insert(.bytes(anchor), at: Int.random(in: 0...parts.count, using: &random))
            let text = parts.map(\.text).joined()
            let database = try TestDatabase(body: text)
            for _ in 0..<12 {
                let object = randomBytes(Int.random(in: 0...40, using: &random), &random)
                let expected = plainMatch(parts, object)
                if expected { matched += 1 }
                let result = database.matches(object, scratch: scratch)
                #expect(
                    result.outcome == .complete && result.found.isEmpty != expected,
                    "\(text) in \(String(decoding: object, as: UTF8.self)): expected \(expected)")
            }
        }
        // Neither side may be trivial.
        #expect(matched > 40)
    }
}
