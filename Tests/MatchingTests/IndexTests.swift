import CModuleABI
import Matching
import SignatureCompiler
import Testing

/// The paths of an index: grams and pairs.
@Suite("Indexes over patterns")
struct IndexTests {
    private let literal = Array("qzXjk0!vWp9~".utf8)

    @Test("a literal of any length is found at any place", arguments: 2...12)
    func everyPlace(_ length: Int) throws {
        let wanted = Array(literal.prefix(length))
        let database = try TestDatabase(body: hex(wanted))
        let scratch = Scratch()
        for size in length...(length + 21) {
            for place in 0...(size - length) {
                var object = [UInt8](repeating: 0x2e, count: size)
                object.replaceSubrange(place..<(place + length), with: wanted)
                let result = database.matches(object, scratch: scratch)
                #expect(result.found == ["Test"] && result.offsets == [place], "\(length) at \(place) of \(size)")
                for change in 0..<length {
                    var other = object
                    other[place + change] ^= 0x80
                    #expect(database.matches(other, scratch: scratch).found.isEmpty)
                }
            }
        }
    }

    @Test("one index tells case for those patterns that tell it", arguments: [2, 3, 4, 6, 7, 12])
    func cases(_ length: Int) throws {
        let exact = String(decoding: literal.prefix(length), as: UTF8.self)
        let database = try TestDatabase([
            "a.ndb": "Exact:0:*:\(hex(exact))",
            "b.ldb": "Either;Engine:81-255,Target:0;0;\(hex(exact))::i",
        ])
        #expect(database.report.signatures == 2)
        func found(_ text: String) -> Set<String> { Set(database.matches(Array("..\(text)..".utf8)).found) }
        #expect(found(exact) == ["Exact", "Either"])
        let lower = exact.lowercased()
        let upper = exact.uppercased()
        #expect(found(lower) == (lower == exact ? ["Exact", "Either"] : ["Either"]))
        #expect(found(upper) == (upper == exact ? ["Exact", "Either"] : ["Either"]))
        #expect(found(String(exact.dropLast())).isEmpty)
    }

    @Test("patterns that share their bytes are all found, in objects that repeat them")
    func shared() throws {
        // Runs of zeros and of one letter, whose grams are all the same.
        let lines = (4...20).flatMap { length in
            [
                "Zeros\(length):0:*:\(String(repeating: "00", count: length))",
                "Letters\(length):0:*:\(String(repeating: "61", count: length))",
            ]
        }
        let database = try TestDatabase(["a.ndb": lines.joined(separator: "\n")])
        let scratch = Scratch()
        for length in [3, 4, 5, 7, 8, 15, 20, 400] {
            let zeros = [UInt8](repeating: 0, count: length)
            let letters = [UInt8](repeating: 0x61, count: length)
            let found = database.matches([1] + zeros + [1] + letters + [1], scratch: scratch).found
            let expected = (4...20).filter { $0 <= length }.flatMap { ["Zeros\($0)", "Letters\($0)"] }
            #expect(found.count == expected.count && Set(found) == Set(expected))
        }
    }

    @Test("pieces before an unbounded gap are found however far away")
    func behindGaps() throws {
        let database = try TestDatabase(body: "6d79*7a7a*666972*\(hex("qzXjk0!vWp9~"))")
        let anchor = literal
        let filler = [UInt8](repeating: 0x7a, count: 9000)
        #expect(database.isFound(Array("my".utf8) + filler + Array("fir".utf8) + filler + anchor))
        #expect(database.isFound(Array("myzzfir".utf8) + anchor))
        #expect(!database.isFound(Array("m".utf8) + filler + Array("fir".utf8) + filler + anchor))
        #expect(!database.isFound(Array("my".utf8) + Array("fir".utf8) + filler + anchor))
        #expect(!database.isFound(Array("fir".utf8) + filler + Array("my".utf8) + filler + anchor + anchor))
        #expect(!database.isFound(anchor + Array("myzzfir".utf8)))
    }

    @Test("what lies around two bytes decides, at the edges of an object too")
    func contexts() throws {
        let database = try TestDatabase(body: "81(c1|c3)??f?ffff{4}8?(4142|4344)aabb")
        let wanted: [UInt8] = [0x81, 0xc3, 0x77, 0xf1, 0xff, 0xff, 1, 2, 3, 4, 0x8d, 0x43, 0x44, 0xaa, 0xbb]
        // What a change of a byte leaves: nothing of those that count, all of the wildcards.
        let free: Set<Int> = [2, 6, 7, 8, 9]
        for (before, after) in [(0, 0), (1, 0), (0, 1), (3, 40), (60, 2), (33, 33)] {
            let filler = [UInt8](repeating: 0xff, count: before)
            let object = filler + wanted + [UInt8](repeating: 0xff, count: after)
            #expect(database.isFound(object))
            for place in wanted.indices {
                var other = object
                other[before + place] ^= 0x10
                #expect(database.isFound(other) == free.contains(place), "\(place)")
            }
            #expect(!database.isFound(Array(object.dropLast(after + 1))))
        }
    }

    @Test("letters around two bytes match in either case where the pattern says so")
    func contextsOfLetters() throws {
        let database = try TestDatabase([
            "a.ndb": "Exact:0:*:(61|62)??7a7a(4b|4c)",
            "b.ldb": "Either;Engine:81-255,Target:0;0;(61|62)??7a7a(4b|4c)::i",
        ])
        #expect(database.report.signatures == 2)
        func found(_ text: String) -> Set<String> { Set(database.matches(Array(text.utf8)).found) }
        #expect(found("a-zzK") == ["Exact", "Either"])
        #expect(found("..A-ZZk..") == ["Either"])
        #expect(found("..b-zzL") == ["Exact", "Either"])
        #expect(found("c-zzK").isEmpty)
        #expect(found("a-zzM").isEmpty)
        #expect(found("a-zz").isEmpty)
    }

    @Test(
        "many patterns that choose their anchors together are each found, and nothing else", arguments: [1, 40, 3000])
    func together(_ count: Int) throws {
        var random = Deterministic(UInt64(count))
        // Words, code and noise, of any length that can be found; some ignore case, some have wildcards in the middle.
        let words = ["http://www.", "cmd /c ", "CreateRemoteThread", "%APPDATA%", "ZZ", "\u{0}\u{0}\u{0}\u{0}"]
        var literals: [[UInt8]] = []
        var (bodies, rules): ([String], [String]) = ([], [])
        for number in 0..<count {
            var bytes: [UInt8] = []
            if Bool.random(using: &random) { bytes += Array((words.randomElement(using: &random) ?? "").utf8) }
            let noise = Int.random(in: 4...24, using: &random)
            bytes += (0..<noise).map { _ in UInt8.random(in: 0...255, using: &random) }
            literals.append(bytes)
            let middle = bytes.count / 2
            switch number % 4 {
            case 0: bodies.append("P\(number):0:*:\(hex(Array(bytes[..<middle])))*\(hex(Array(bytes[middle...])))")
            case 1: bodies.append("P\(number):0:*:\(hex(bytes))")
            case 2: rules.append("P\(number);Engine:81-255,Target:0;0;\(hex(bytes))::i")
            default: rules.append("P\(number);Engine:81-255,Target:0;0&1;\(hex(bytes));\(hex(Array("common".utf8)))")
            }
        }
        let database = try TestDatabase([
            "a.ndb": bodies.joined(separator: "\n"), "b.ldb": rules.joined(separator: "\n"),
        ])
        #expect(database.report.signatures == count)
        let scratch = Scratch()
        for number in stride(from: 0, to: count, by: max(1, count / 61)) {
            var object = (0..<Int.random(in: 0...90, using: &random)).map { _ in
                UInt8.random(in: 0x61...0x7a, using: &random)
            }
            object += literals[number] + Array("-common-".utf8)
            #expect(database.matches(object, scratch: scratch).found == ["P\(number)"])
            let change = object.count - 8 - literals[number].count + literals[number].count / 4
            object[change] ^= 0x81
            #expect(database.matches(object, scratch: scratch).found.isEmpty, "\(number)")
        }
    }

    @Test("rules that need several parts are found, whichever of them triggers them", arguments: [1, 30, 1500])
    func severalParts(_ count: Int) throws {
        var random = Deterministic(UInt64(count) &+ 7)
        // Parts of any length, some of which rules share, and some that are common.
        let shared = (0..<9).map { _ in (0..<6).map { _ in UInt8.random(in: 0...255, using: &random) } }
        let rules: [[[UInt8]]] = (0..<count).map { number in
            var parts = (0..<Int.random(in: 2...5, using: &random)).map { _ in
                (0..<Int.random(in: 4...20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
            if number % 3 == 0 { parts.insert(shared[number % shared.count], at: 0) }
            if number % 4 == 0 { parts.append(Array("kernel32.dll".utf8)) }
            if number % 5 == 0 { parts.append([0x4d, 0x5a]) }
            return parts
        }
        let database = try TestDatabase([
            "a.ldb": rules.enumerated().map { number, parts in
                let names = parts.indices.map(String.init).joined(separator: "&")
                let texts = parts.map { hex($0) + (number % 7 == 1 ? "::i" : "") }
                return "R\(number);Engine:81-255,Target:\(number % 2);\(names);\(texts.joined(separator: ";"))"
            }.joined(separator: "\n")
        ])
        #expect(database.report.signatures == count)
        let scratch = Scratch()
        for number in stride(from: 0, to: count, by: max(1, count / 53)) {
            func object(without missing: Int?) -> [UInt8] {
                rules[number].indices.reversed().filter { $0 != missing }.flatMap { [0x2e] + rules[number][$0] } + [
                    0x2e
                ]
            }
            // Rules for any object, and for Windows programs.
            let type = number % 2 == 0 ? EM_TYPE_UNKNOWN : EM_TYPE_PE
            #expect(database.matches(object(without: nil), type: type, scratch: scratch).found == ["R\(number)"])
            for missing in rules[number].indices {
                #expect(database.matches(object(without: missing), type: type, scratch: scratch).found.isEmpty)
            }
        }
    }
}
