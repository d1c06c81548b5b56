/// Where a generator gets its decisions from: given bytes first, then a fixed sequence, so that the same input makes the
/// same case.
package struct Choices {
    private let bytes: [UInt8]
    private var at = 0
    private var state: UInt64

    package init(_ bytes: [UInt8], seed: UInt64 = 1) {
        self.bytes = bytes
        state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    }

    /// A number below `count`.
    package mutating func number(_ count: Int) -> Int {
        guard count > 1 else { return 0 }
        if at < bytes.count {
            at += 1
            return Int(bytes[at - 1]) % count
        }
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(count))
    }

    /// True once in so many cases.
    package mutating func once(in count: Int) -> Bool { number(count) == 0 }

    package mutating func element<T>(_ list: [T]) -> T { list[number(list.count)] }
}
