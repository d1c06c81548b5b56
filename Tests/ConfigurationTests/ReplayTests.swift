import Configuration
import FuzzCorpus
import Testing

/// The seeds of the fuzzer and its findings, whole, cut and damaged, through the code that it runs.
@Suite struct ReplayTests {
    @Test(arguments: ["cfg", "reached/cfg"]) func seedsAndDamagedCopies(_ corpus: String) throws {
        let files = try FuzzCorpus.files(corpus, atLeast: 8)
        // A fixed sequence (Numerical Recipes' constants), so that a failure comes again.
        var random: UInt32 = 1
        func next(_ below: Int) -> Int {
            random = random &* 1_664_525 &+ 1_013_904_223
            return Int(random >> 8) % max(1, below)
        }
        for (_, bytes) in files {
            fuzzConfiguration(bytes)
            for _ in 0..<4 {
                var copy = bytes
                if !copy.isEmpty { copy[next(copy.count)] = UInt8(next(256)) }
                fuzzConfiguration(Array(copy.prefix(next(copy.count + 1) * 2)))
            }
        }
    }

    @Test func theSeedsForEveryKindAreRight() throws {
        let names = ["every-kind", "users", "users-crlf"]
        let files = try FuzzCorpus.files("cfg").filter { names.contains($0.name) }
        #expect(files.count == names.count)
        for (name, bytes) in files {
            let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
            let problems = Configuration.check(parts[0], userBytes: parts.count > 1 ? parts[1] : [])
            #expect(problems.filter { $0.severity == .error }.isEmpty, "\(name): \(problems)")
        }
    }
}
