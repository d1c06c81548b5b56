import Platform
import ScanProtocol

/// What scanning costs with one generation, beside what it costs with another: both in the same process, in turn, in
/// processor time, so that what else the machine does hits neither or both.
struct CanaryTiming {
    /// Objects that every scanner looks at in several ways: text, markup, a program, noise, a message.
    private static let objects: [(name: String, bytes: [UInt8])] = [
        ("text", repeated("The quick brown fox jumps over the lazy dog, and 17 others watch. ", 131_072)),
        (
            "page.html",
            repeated("<tr><td class=\"a\"><a href=\"https://www.example.org/x?y=1\">text</a></td></tr>\n", 131_072)
        ),
        ("program.exe", Array("MZ\u{90}\u{0}\u{3}".utf8) + noise(262_144, alphabet: 64)),
        ("noise", noise(262_144, alphabet: 256)),
        (
            "message.eml",
            Array("From: a@example.org\r\nTo: b@example.net\r\nSubject: x\r\nMIME-Version: 1.0\r\n\r\n".utf8)
                + repeated("Dear Sir or Madam, please find the figures of the last quarter below.\r\n", 65_536)
        ),
    ]
    /// Each object is scanned so often with each generation; its shortest time counts.
    private static let rounds = 5
    /// Processor time for everything, in nanoseconds.
    private static let limit: UInt64 = 30_000_000_000
    /// Differences below this are noise, in nanoseconds.
    private static let negligible: UInt64 = 20_000_000

    /// Nanoseconds of processor time for all objects.
    let new: UInt64
    let old: UInt64

    /// Measures; nil when a scan cannot even begin.
    init?(_ new: any EngineGeneration, beside old: any EngineGeneration) {
        var times = [(new: UInt64, old: UInt64)](repeating: (.max, .max), count: CanaryTiming.objects.count)
        let began = Clock.threadCPU
        for _ in 0..<CanaryTiming.rounds where Clock.threadCPU &- began < CanaryTiming.limit {
            for (index, object) in CanaryTiming.objects.enumerated() {
                guard let first = CanaryTiming.scan(object, new), let second = CanaryTiming.scan(object, old) else {
                    return nil
                }
                times[index] = (min(times[index].new, first), min(times[index].old, second))
            }
        }
        self.init(
            new: times.reduce(0) { $0 &+ $1.new }, old: times.reduce(0) { $0 &+ $1.old })
    }

    init(new: UInt64, old: UInt64) {
        (self.new, self.old) = (new, old)
    }

    /// Whether it takes more than so many percent of the time.
    func isTooSlow(percent: UInt64) -> Bool {
        guard new > old, new - old > CanaryTiming.negligible else { return false }
        return new.multipliedFullWidth(by: 100) > old.multipliedFullWidth(by: percent)
    }

    /// "812 ms of processor time, 89 ms with generation 5".
    func text(_ reference: UInt64) -> String {
        "the test objects take \(new / 1_000_000) ms of processor time, and \(old / 1_000_000) ms with generation "
            + "\(reference)"
    }

    private static func scan(_ object: (name: String, bytes: [UInt8]), _ generation: any EngineGeneration) -> UInt64? {
        let source = ObjectSource(place: .memory(object.bytes[...]), size: object.bytes.count)
        let order = ScanOrder(
            options: ScanOptions(), envelope: ScanEnvelope(agent: "cli"), name: object.name,
            size: UInt64(object.bytes.count))
        let began = Clock.threadCPU
        guard let scan = try? generation.begin(source, order, Cancellation()) else { return nil }
        for _ in 0..<WireLimits.questions {
            guard case .suspended(let questions) = scan.run() else { break }
            scan.provide(questions.map { Answer(question: $0, result: .failed) })
        }
        return Clock.threadCPU &- began
    }

    private static func repeated(_ text: String, _ count: Int) -> [UInt8] {
        let piece = Array(text.utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + piece.count)
        while bytes.count < count { bytes += piece }
        return bytes
    }

    /// The same bytes each time.
    private static func noise(_ count: Int, alphabet: UInt64) -> [UInt8] {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: (state >> 33) % alphabet)
        }
    }
}

private func > (a: (high: UInt64, low: UInt64.Magnitude), b: (high: UInt64, low: UInt64.Magnitude)) -> Bool {
    a.high != b.high ? a.high > b.high : a.low > b.low
}
