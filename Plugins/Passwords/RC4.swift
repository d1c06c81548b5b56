/// The stream cipher of old documents; OpenSSL has it only in a provider that is not loaded.
package struct RC4 {
    private var state: [UInt8]
    private var i: UInt8 = 0
    private var j: UInt8 = 0

    package init(_ key: [UInt8]) {
        state = (0..<256).map { UInt8($0) }
        guard !key.isEmpty else { return }
        var j: UInt8 = 0
        for i in 0..<256 {
            j = j &+ state[i] &+ key[i % key.count]
            state.swapAt(i, Int(j))
        }
    }

    package mutating func next() -> UInt8 {
        i = i &+ 1
        j = j &+ state[Int(i)]
        state.swapAt(Int(i), Int(j))
        return state[Int(state[Int(i)] &+ state[Int(j)])]
    }

    mutating func decrypt(_ bytes: [UInt8]) -> [UInt8] { bytes.map { $0 ^ next() } }
}
