package import BytesE

/// For the fuzzer: reads any bytes as a picture, with little memory.
package func fuzzImages(_ bytes: ByteView) {
    var memory: [UnsafeMutableRawPointer] = []
    var left = 8 << 20
    var steps = 100_000
    let budget = ImageBudget(
        allocate: { size in
            guard size <= left else { return nil }
            left -= size
            let place = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            place.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            memory.append(place)
            return place
        },
        mayGoOn: {
            steps -= 1
            return steps > 0
        })
    _ = imageHash(of: bytes, budget)
    for place in memory { place.deallocate() }
}
