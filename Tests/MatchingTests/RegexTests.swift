import BytesE
import CModuleABI
import Lending
import Regex
import Testing

@Suite("Regular expressions")
struct RegexTests {
    private func search(_ expression: String, _ subject: String, options: UInt32 = 0) throws -> Regex.Outcome {
        let regex = try #require(
            Array(expression.utf8).withUnsafeBufferPointer { Regex(ByteView($0), options: options) })
        return Array(subject.utf8).withUnsafeBufferPointer { regex.search(ByteView($0), from: 0) }
    }

    @Test func places() throws {
        guard case .match(let found) = try search("b+", "aabbb") else { return #expect(Bool(false)) }
        #expect(found == 2..<5)
        guard case .none = try search("c", "aabbb") else { return #expect(Bool(false)) }
        guard case .match = try search("B", "aab", options: UInt32(EM_REGEX_CASELESS)) else {
            return #expect(Bool(false))
        }
        // More groups than there are places for.
        guard case .match(let grouped) = try search("(a)(a)(b)", "aab") else { return #expect(Bool(false)) }
        #expect(grouped == 0..<3)
        guard case .match(let empty) = try search("", "") else { return #expect(Bool(false)) }
        #expect(empty == 0..<0)
    }

    @Test("backtracking ends at the limit")
    func limit() throws {
        let subject = String(repeating: "a", count: 64) + "cb"
        guard case .limit = try search("^(a+)+(a+)+(a+)+b\\1", subject) else { return #expect(Bool(false)) }
    }

    @Test("long repetitions have memory enough")
    func repetitions() throws {
        let numbers = (0..<1024).map { "\($0 % 97) , " }.joined()
        guard
            case .match = try search("new\\s+byte\\[\\]\\s*\\{(?:\\s*[0-9]{1,5}\\s*,){1024}", "new byte[] { " + numbers)
        else {
            return #expect(Bool(false))
        }
    }

    @Test func refused() {
        #expect(Array("(".utf8).withUnsafeBufferPointer { Regex(ByteView($0), options: 0) } == nil)
    }

    @Test("a cache keeps what was used lately")
    func cache() throws {
        let cache = RegexCache()
        let text = Array("a".utf8)
        try text.withUnsafeBufferPointer { buffer in
            func regex(_ number: UInt32) throws -> Regex {
                try #require(cache.regex(number, ByteView(buffer), options: 0))
            }
            let first = try regex(0)
            for number in 1..<UInt32(RegexCache.capacity) { _ = try regex(number) }
            #expect(try regex(0) === first)
            let second = try regex(1)
            // One too many: number 2 gives way.
            _ = try regex(1_000)
            #expect(try regex(0) === first && regex(1) === second)
        }
    }

    @Test("threads never share a cache at the same time")
    func pool() async {
        let pool = LendingPool { RegexCache() }
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    let text = Array("a".utf8)
                    return (0..<200).allSatisfy { round in
                        pool.with { cache in
                            text.withUnsafeBufferPointer { buffer in
                                guard
                                    let regex = cache.regex(UInt32(task * 3 + round % 5), ByteView(buffer), options: 0),
                                    case .match(let found) = regex.search(ByteView(buffer), from: 0)
                                else { return false }
                                return found == 0..<1
                            }
                        }
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
